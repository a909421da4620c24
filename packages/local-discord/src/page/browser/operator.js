// The operator's panel: the state of the program behind the bot, and its traffic with Discord.
import { useEffect, useRef, useState } from "preact/hooks";
import { act, html } from "./api.js";
import { Icon } from "./icons.js";
import { relative } from "./markdown.js";
import { size } from "./media.js";

const EVERY_MS = 1000;
const TRAFFIC_KEPT = 300;
const duration = (ms) =>
  ms < 1000
    ? `${Math.round(ms)} ms`
    : ms < 60_000
      ? `${(ms / 1000).toFixed(1)} s`
      : `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;

/** Calls `ask` now, and every second while the page is visible. */
function usePolling(ask) {
  useEffect(() => {
    let timer;
    let stopped = false;
    const tick = async () => {
      if (document.visibilityState === "visible") await ask();
      if (!stopped) timer = setTimeout(tick, EVERY_MS);
    };
    tick();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, []);
}

export function Operator({ names, close }) {
  const [tab, setTab] = useState("state");
  const tabs = [
    ["state", "State"],
    ["traffic", "Traffic"],
  ];
  return html`<aside class="operator" aria-label="Operator">
    <header><h2>Operator</h2>
      <div class="tabs" role="tablist" aria-label="Operator's views">
        ${tabs.map(([id, label]) => html`<button type="button" role="tab" id=${`tab-${id}`} aria-selected=${tab === id} aria-controls="operator-view" onClick=${() => setTab(id)}>${label}</button>`)}
      </div>
      <button type="button" class="round" aria-label="Close the operator's panel" onClick=${close}><${Icon} name="close" size=${18} /></button>
    </header>
    <div class="operator-view" id="operator-view" role="tabpanel" aria-labelledby=${`tab-${tab}`} tabindex="0">
      ${tab === "state" ? html`<${State} names=${names} />` : html`<${Traffic} />`}
    </div>
  </aside>`;
}

function State({ names }) {
  const [{ snapshot, resumes, error, asked }, set] = useState({ snapshot: null, error: "", asked: false });
  const ask = async () => {
    try {
      const response = await fetch("/local/operator");
      const body = await response.json();
      set({
        snapshot: body.snapshot ?? null,
        resumes: body.resumes,
        error: response.ok ? "" : body.message,
        asked: true,
      });
    } catch {
      set({ snapshot: null, error: "The server is not there", asked: true });
    }
  };
  usePolling(ask);
  if (error) return html`<p class="error">${error}</p>`;
  if (!asked) return html`<p class="faint">…</p>`;
  if (snapshot === null)
    return html`<p class="faint">The program behind the bot tells nothing about itself. To fill this panel it sends <code>PUT /local/operator</code>; the README of local-discord says what.</p>`;
  const { queue, phase, memory, jobs, votes } = snapshot;
  return html`
    <section><h3>Now</h3>
      ${queue.paused && html`<${Paused} resumes=${resumes} ask=${ask} />`}
      ${phase !== null && html`<${Phase} phase=${phase} />`}
      ${phase === null && !queue.paused && html`<p class="idle"><i class="dot on"></i> Idle</p>`}</section>
    <section><h3>Queue</h3>
      <div class="figures">
        <div><b>${queue.waiting}</b><span>waiting</span></div><div><b>${queue.running}</b><span>running</span></div><div><b>${queue.undelivered}</b><span>to deliver</span></div>
      </div></section>
    <section><h3>Memory</h3><${Memory} entries=${memory} /></section>
    ${votes && html`<section><h3>Win rate</h3><${Votes} votes=${votes} /></section>`}
    <section><h3>Jobs</h3>
      ${jobs.length === 0 && html`<p class="faint">None yet.</p>`}
      <ul class="jobs">${jobs.map((it) => html`<${Job} key=${it.id} job=${it} names=${names} />`)}</ul></section>`;
}

function Paused({ resumes, ask }) {
  const [error, setError] = useState("");
  const resume = () =>
    act("operator/resume", {}).then(
      () => ask(),
      (failure) => setError(failure.message),
    );
  return html`<p class="idle"><i class="dot"></i> Paused
      ${resumes && html`<button type="button" class="button primary" onClick=${resume}>Resume</button>`}</p>
    ${error && html`<p class="error">${error}</p>`}`;
}

function Phase({ phase }) {
  const { progress } = phase;
  const share = progress ? Math.min(1, progress.done / progress.total) : null;
  return html`<div class="phase">
    <div class="between"><b>${phase.name}</b><small>${duration(Date.now() - phase.startedAt)}</small></div>
    ${phase.detail && html`<small>${phase.detail}</small>`}
    <div class=${share === null ? "bar waiting" : "bar"} role="progressbar" aria-label=${phase.name} aria-valuemin="0" aria-valuemax="100" aria-valuenow=${share === null ? undefined : Math.round(share * 100)}>
      <i style=${share === null ? "" : `width:${share * 100}%`}></i></div>
    <small>${progress ? `${progress.label}, ${progress.done} of ${progress.total}${progress.items > 1 ? ` – ${progress.item + 1} of ${progress.items} prompts` : ""}` : "Loading…"}</small>
  </div>`;
}

function Memory({ entries }) {
  const most = Math.max(1, ...entries.map((it) => it.bytes));
  return html`<ul class="memory">${entries.map(
    (
      it,
    ) => html`<li><div class="between"><span>${it.name}</span><span>${size(it.bytes)}${it.peak ? html` <small>peak</small>` : ""}</span></div>
      <div class="bar thin" aria-hidden="true"><i style=${`width:${(it.bytes / most) * 100}%`}></i></div></li>`,
  )}</ul>`;
}

function Votes({ votes: { optimized, baseline, ties } }) {
  const all = optimized + baseline + ties;
  if (all === 0) return html`<p class="faint">No votes yet.</p>`;
  const percent = (part) => `${Math.round((part / all) * 100)}%`;
  return html`<div class="votes" role="img" aria-label=${`Optimized ${percent(optimized)}, baseline ${percent(baseline)}, ties ${percent(ties)}`}>
      <i class="won" style=${`flex:${optimized}`}></i><i class="tie" style=${`flex:${ties}`}></i><i class="lost" style=${`flex:${baseline}`}></i></div>
    <div class="between"><small><b>${percent(optimized)}</b> optimized</small><small>${ties} ties</small><small>baseline <b>${percent(baseline)}</b></small></div>
    <small>${all} votes</small>`;
}

const STATE = {
  queued: ["clock", "waiting"],
  running: ["spark", "running"],
  done: ["check", "done"],
  failed: ["alert", "failed"],
  cancelled: ["close", "cancelled"],
};

function Job({ job, names }) {
  const [icon, word] = STATE[job.state];
  const who = job.user === undefined ? "" : (names(job.user) ?? "");
  return html`<li class=${job.state}><${Icon} name=${icon} size=${16} />
    <div><span class="cut" title=${job.title}>${job.title}</span>
    <small>${[`/${job.kind}`, who, word, job.ms === undefined ? "" : duration(job.ms), relative(job.at)].filter(Boolean).join(" · ")}</small></div></li>`;
}

/** Traffic between the bot and the server, newest last. */
function Traffic() {
  const [entries, setEntries] = useState([]);
  const count = useRef(0);
  usePolling(async () => {
    const response = await fetch(`/local/transcript?after=${count.current}`).catch(() => null);
    if (!response?.ok) return;
    const { entries: fresh, count: now } = await response.json();
    const first = now - fresh.length;
    count.current = now;
    if (fresh.length > 0)
      setEntries((all) =>
        [...all, ...fresh.map((it, n) => ({ ...it, key: first + n }))].slice(-TRAFFIC_KEPT),
      );
  });
  if (entries.length === 0)
    return html`<p class="faint">Nothing yet. Calls of the bot and events for it appear here.</p>`;
  return html`<ol class="traffic">${[...entries].reverse().map((it) => html`<${Entry} key=${it.key} entry=${it} />`)}</ol>`;
}

function Entry({ entry: it }) {
  const rest = it.kind === "rest";
  const failed = rest && it.status >= 400;
  const title = rest
    ? `${it.method} ${it.path}`
    : `${it.from === "bot" ? "bot →" : "→ bot"} ${it.event ?? `op ${it.op}`}`;
  const detail = rest
    ? { request: it.request, files: it.files.length > 0 ? it.files : undefined, response: it.response }
    : it.data;
  return html`<li class=${failed ? "failed" : ""}><details>
    <summary><span class="cut">${title}</span>${rest && html`<b class=${failed ? "error" : "good"}>${it.status}</b>`}<time>${new Date(it.at).toLocaleTimeString()}</time></summary>
    <pre tabindex="0">${JSON.stringify(detail, null, 2)}</pre></details></li>`;
}
