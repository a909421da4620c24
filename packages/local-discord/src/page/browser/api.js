// The page's only access to the server: the /local routes and the event stream.

import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);

/** Shown when nobody answers, until the stream is open again. */
export const NOT_THERE = "The server is not there";

async function call(path, init) {
  const response = await fetch(path, init).catch(() => {
    throw new Error(NOT_THERE);
  });
  const body = await response.json();
  if (!response.ok) throw new Error(body.message ?? `${response.status} ${response.statusText}`);
  return body;
}

export const loadState = (user) => call(`/local/state?user=${encodeURIComponent(user)}`);
export const loadChannel = (user, channel) =>
  call(`/local/channels/${channel}?user=${encodeURIComponent(user)}`);
export const loadOperator = () => call("/local/operator");
export const loadTasteServers = (skip) => call(`/local/operator/taste?skip=${skip}`);
export const loadTaste = (server) => call(`/local/operator/taste/${server}`);

/** Posts an action; `files` become the parts files[0], files[1], … */
export function act(name, body, files = []) {
  if (files.length === 0) {
    const headers = { "content-type": "application/json" };
    return call(`/local/${name}`, { method: "POST", headers, body: JSON.stringify(body) });
  }
  const form = new FormData();
  form.set("payload_json", JSON.stringify(body));
  files.forEach((file, at) => {
    form.set(`files[${at}]`, file, file.name);
  });
  return call(`/local/${name}`, { method: "POST", body: form });
}

/**
 * Follows the events of `user`, and reconnects. The server keeps no events for the page, so whoever follows
 * loads everything at each `onOpen`, the first one included: a load before it may have missed something.
 */
export function follow(user, { onEvent, onOpen, onClose }) {
  let socket;
  let timer;
  let stopped = false;
  const open = () => {
    socket = new WebSocket(`ws://${location.host}/local/events?user=${encodeURIComponent(user)}`);
    socket.onopen = () => !stopped && onOpen();
    socket.onmessage = (frame) => !stopped && onEvent(JSON.parse(frame.data));
    socket.onclose = () => {
      if (stopped) return;
      onClose();
      timer = setTimeout(open, 1000);
    };
  };
  open();
  return () => {
    stopped = true;
    clearTimeout(timer);
    socket.close();
  };
}
