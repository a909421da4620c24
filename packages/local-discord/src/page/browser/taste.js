// What each server likes, in the operator's panel: a list that is asked for by a press, and a server's own by another.
import { useState } from "preact/hooks";
import { html, loadTaste, loadTasteServers } from "./api.js";

const percent = (share) => `${Math.round(share * 100)}%`;
const votes = (n) => `${n.toLocaleString("en")} ${n === 1 ? "vote" : "votes"}`;

/** Asks the server, and keeps what it answered, that it has not yet, or what went wrong. */
function useAnswer(initial) {
  const [state, set] = useState({ answer: initial, busy: false, error: "" });
  const ask = async (load) => {
    set((before) => ({ ...before, busy: true, error: "" }));
    try {
      const answer = await load();
      set({ answer, busy: false, error: "" });
    } catch (problem) {
      set((before) => ({ ...before, busy: false, error: problem.message }));
    }
  };
  return [state, ask];
}

export function Taste() {
  const [{ answer, busy, error }, ask] = useAnswer(null);
  const servers = answer?.servers ?? [];
  const more = () =>
    ask(async () => {
      const next = await loadTasteServers(servers.length);
      return { servers: [...servers, ...next.servers], more: next.more };
    });
  return html`
    ${answer !== null && servers.length === 0 && html`<p class="faint">No server has a vote yet.</p>`}
    <ul class="tastes">${servers.map((it) => html`<${Server} key=${it.id} server=${it} />`)}</ul>
    ${(answer === null || answer.more) && html`<p class="row"><button type="button" class="button small secondary" disabled=${busy} onClick=${more}>${busy ? "Reading the votes…" : answer === null ? "List the servers" : "More"}</button></p>`}
    ${error && html`<small class="error" role="alert">${error}</small>`}`;
}

function Server({ server: { id, name, on, votes: n } }) {
  const [{ answer, busy, error }, ask] = useAnswer(null);
  const onToggle = (event) => {
    if (event.currentTarget.open && !busy) ask(() => loadTaste(id));
  };
  return html`<li><details onToggle=${onToggle}>
    <summary><span class="cut" title=${id}>${name ?? id}</span><small>${on ? "on" : "off"} · ${votes(n)}</small></summary>
    ${busy && answer === null && html`<p class="faint">Fitting…</p>`}
    ${error && html`<p class="error" role="alert">${error}</p>`}
    ${answer !== null && html`<${Known} taste=${answer} />`}</details></li>`;
}

function Known({ taste: { chosen, first, liked, disliked } }) {
  const rows = [
    [
      "Wins",
      [
        chosen && { ...chosen, phrase: "as taste chose" },
        first && { ...first, phrase: "with the first rewrite" },
      ],
    ],
    ["Liked", liked],
    ["Disliked", disliked],
  ].map(([title, some]) => [title, some.filter(Boolean)]);
  if (rows.every(([, some]) => some.length === 0))
    return html`<p class="faint">Too few votes to tell of a phrase yet.</p>`;
  return html`<table class="taste"><thead><tr><td></td><th scope="col">wins</th><th scope="col">95 %</th><th scope="col">votes</th></tr></thead>
    ${rows.map(
      ([title, some]) =>
        some.length > 0 &&
        html`<tbody><tr><th scope="rowgroup" colspan="4">${title}</th></tr>
          ${some.map(({ phrase, share, low, high, n }) => html`<tr key=${phrase}><td>${phrase}</td><td>${percent(share)}</td><td>${percent(low)} – ${percent(high)}</td><td>${n.toLocaleString("en")}</td></tr>`)}</tbody>`,
    )}</table>`;
}
