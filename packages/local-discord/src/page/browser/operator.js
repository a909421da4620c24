// The operator's panel: the state of the program behind the bot, and its traffic with Discord.
import { useEffect, useRef, useState } from "preact/hooks";
import { act, html, loadOperator } from "./api.js";
import { Icon } from "./icons.js";
import { Link } from "./links.js";
import { relative } from "./markdown.js";
import { size } from "./media.js";
import { Taste } from "./taste.js";

const EVERY_MS = 1000;
const TRAFFIC_KEPT = 300;
/** The gateway's frames that carry no event, by Discord's numbers. */
const OPERATIONS = {
  1: "heartbeat",
  2: "identify",
  6: "resume",
  7: "reconnect",
  8: "request members",
  9: "invalid session",
  10: "hello",
  11: "heartbeat acknowledged",
};
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

/** The program's state, asked for each second. `names` tells what an id is called here. */
export function State({ names }) {
  const [{ snapshot, actions, taste, error, asked }, set] = useState({
    snapshot: null,
    error: "",
    asked: false,
  });
  const ask = async () => {
    try {
      set({ ...(await loadOperator()), error: "", asked: true });
    } catch (problem) {
      set({ snapshot: null, error: problem.message, asked: true });
    }
  };
  usePolling(ask);
  if (error) return html`<p class="error">${error}</p>`;
  if (!asked) return html`<p class="faint">…</p>`;
  if (snapshot === null)
    return html`<p class="faint">The program behind the bot tells nothing about itself. To fill this panel it sends <code>PUT /local/operator</code>; the README of local-discord says what.</p>`;
  const { queue, phase, memory, jobs, votes, models, disk, log, hosts } = snapshot;
  return html`
    <section><h3>Now</h3>
      ${queue.paused && html`<p class="idle"><i class="dot"></i> Paused: nothing new starts</p>`}
      ${phase !== null && html`<${Phase} phase=${phase} />`}
      ${phase === null && !queue.paused && html`<p class="idle"><i class="dot on"></i> Idle</p>`}
      <${Pause} paused=${queue.paused} actions=${actions} ask=${ask} /></section>
    <section><h3>Queue</h3>
      <div class="figures">
        <div><b>${queue.waiting}</b><span>waiting</span></div><div><b>${queue.running}</b><span>running</span></div><div><b>${queue.undelivered}</b><span>to deliver</span></div>
      </div></section>
    <section><h3>Jobs</h3>
      ${jobs.length === 0 && html`<p class="faint">None yet.</p>`}
      <ul class="jobs">${jobs.map((it) => html`<${Job} key=${it.id} job=${it} names=${names} actions=${actions} ask=${ask} />`)}</ul></section>
    ${hosts && html`<section><h3>Hosts</h3><ul class="facts hosts">${hosts.map((it) => html`<${Host} key=${it.name} host=${it} alone=${hosts.length === 1} actions=${actions} ask=${ask} />`)}</ul></section>`}
    ${models && html`<section><h3>Models</h3><ul class="facts">${models.map((it) => html`<${Model} key=${it.use} model=${it} />`)}</ul></section>`}
    <section><h3>Memory</h3><${Memory} entries=${memory} /></section>
    ${
      disk &&
      html`<section><h3>Disk</h3><div class="between"><span>Data folder</span><span>${size(disk.bytes)}</span></div>
      <div class="between"><span>Free</span><span>${size(disk.free)}</span></div><small class="path">${disk.folder}</small></section>`
    }
    ${votes && html`<section><h3>Win rate</h3><${Votes} votes=${votes} /></section>`}
    ${taste && html`<section><h3>Taste</h3><${Taste} /></section>`}
    ${log && html`<section><h3>Log</h3><${Log} lines=${log} /></section>`}`;
}

/** A button that posts an action, with what went wrong beside it. */
function Action({ name, body = {}, label, danger, ask }) {
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const run = async () => {
    setBusy(true);
    try {
      await act(`operator/${name}`, body);
      setError("");
      await ask();
    } catch (problem) {
      setError(problem.message);
    } finally {
      setBusy(false);
    }
  };
  return html`<button type="button" class=${danger ? "button small danger" : "button small secondary"} disabled=${busy} onClick=${run}>${label}</button>
    ${error && html`<small class="error" role="alert">${error}</small>`}`;
}

function Pause({ paused, actions, ask }) {
  const name = paused ? "resume" : "pause";
  if (!actions.includes(name)) return null;
  return html`<p class="row"><${Action} key=${name} name=${name} label=${paused ? "Resume" : "Pause"} ask=${ask} /></p>`;
}

function Model({ model }) {
  return html`<li><i class=${model.loaded ? "dot on" : "dot"}></i><div><span class="cut" title=${model.name}>${model.name}</span>
    <small>${[model.use, model.device, model.loaded ? "loaded" : "not loaded"].filter(Boolean).join(" · ")}</small></div></li>`;
}

/** What a host's heartbeat says, in words. */
const HEARD = {
  running: (ago) => `heard of ${ago} ago`,
  paused: (ago) => `paused · heard of ${ago} ago`,
  waiting: (ago) => `waits as the standby · heard of ${ago} ago`,
  silent: (ago) => `not heard of for ${ago}`,
  stopped: (ago) => `stopped ${ago} ago`,
};

const inSeconds = (ms) => (ms < 60_000 ? `${Math.max(1, Math.round(ms / 1000))} s` : duration(ms));

function Host({ host, alone, actions, ask }) {
  const { name, condition, role, version, differs, otherPictures, agoMs, devices, offers } = host;
  const isHere = condition === "running" || condition === "paused";
  const action = condition === "paused" ? "resumeHost" : "pauseHost";
  // Pausing the only one is pausing the queue.
  const canAct =
    isHere && actions.includes(action) && devices.length > 0 && !(alone && condition === "running");
  return html`<li class=${condition}><i class=${condition === "running" ? "dot on" : "dot"}></i><div>
    <div class="between"><span class="cut" title=${name}>${name}</span>
      ${canAct && html`<${Action} key=${action} name=${action} body=${{ host: name }} label=${condition === "paused" ? "Resume" : "Pause"} ask=${ask} />`}</div>
    <small class=${condition === "silent" ? "error" : ""}>${role} · ${HEARD[condition](inSeconds(agoMs))}</small>
    <small class=${differs ? "error" : ""}>${version}${differs ? " · another version than the bot's" : ""}</small>
    ${otherPictures && html`<small class="error">keeps its pictures in another store than the bot</small>`}
    ${isHere && devices.map((it) => html`<${Device} key=${it.name} device=${it} />`)}
    ${isHere && offers.length > 0 && html`<small class="cut" title=${offers.join(", ")}>has ${offers.join(", ")}</small>`}</div></li>`;
}

function Device({ device: { name, doing, job, models, bytes, setAside } }) {
  const loaded = models.length === 0 ? "" : `${models.join(", ")}${bytes > 0 ? `, ${size(bytes)}` : ""}`;
  return html`<small class=${setAside ? "error" : ""}><b>${name}</b> ${setAside ? `set aside: ${setAside}` : [doing, job, loaded].filter(Boolean).join(" · ")}</small>`;
}

function Log({ lines }) {
  if (lines.length === 0) return html`<p class="faint">Nothing yet.</p>`;
  return html`<ol class="lines">${[...lines]
    .reverse()
    .map(
      (it, n) =>
        html`<li key=${`${it.at} ${lines.length - n}`} class=${it.level}><time>${new Date(it.at).toLocaleTimeString()}</time> ${it.text}</li>`,
    )}</ol>`;
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

function Votes({ votes: { optimized, baseline, summary } }) {
  const decided = optimized + baseline;
  const percent = (part) => `${Math.round((part / decided) * 100)}%`;
  return html`${
    decided > 0 &&
    html`<div class="votes" role="img" aria-label=${`Optimized ${percent(optimized)}, baseline ${percent(baseline)}`}>
      <i class="won" style=${`flex:${optimized}`}></i><i class="lost" style=${`flex:${baseline}`}></i></div>`
  }
    <small>${summary}</small>`;
}

const STATE = {
  queued: ["clock", "waiting"],
  running: ["spark", "running"],
  done: ["check", "done"],
  failed: ["alert", "failed"],
  cancelled: ["close", "cancelled"],
};

function Job({ job, names, actions, ask }) {
  const [icon, word] = STATE[job.state];
  const who = job.user === undefined ? "" : (names(job.user) ?? "");
  const open = job.state === "queued" || job.state === "running";
  const title = html`<span class="cut" title=${job.title}>${job.title}</span>`;
  return html`<li class=${job.state}><${Icon} name=${icon} size=${16} />
    <div>${job.url ? html`<${Link} className="cut" url=${job.url} names=${names}>${title}<//>` : title}
    <small>${[`/${job.kind}`, who, word, job.ms === undefined ? "" : duration(job.ms)].filter(Boolean).join(" · ")}</small>
    <small>${relative(job.at)}</small>
    ${job.reason && html`<small class="error">${job.reason}</small>`}
    ${open && actions.includes("cancel") && html`<p><${Action} name="cancel" body=${{ job: job.id }} label="Cancel" danger ask=${ask} /></p>`}</div></li>`;
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
    : `${it.from === "bot" ? "bot →" : "→ bot"} ${it.event ?? OPERATIONS[it.op] ?? `op ${it.op}`}`;
  const detail = rest
    ? { request: it.request, files: it.files.length > 0 ? it.files : undefined, response: it.response }
    : it.data;
  return html`<li class=${failed ? "failed" : ""}><details>
    <summary><span class="cut">${title}</span>${rest && html`<b class=${failed ? "error" : "good"}>${it.status}</b>`}<time>${new Date(it.at).toLocaleTimeString()}</time></summary>
    <pre tabindex="0">${JSON.stringify(detail, null, 2)}</pre></details></li>`;
}
