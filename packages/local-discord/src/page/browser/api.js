// The page's only access to the server: the /local routes and the event stream.

import htm from "htm";
import { h } from "preact";

export const html = htm.bind(h);

async function answer(response) {
  const body = await response.json();
  if (!response.ok) throw new Error(body.message ?? `${response.status} ${response.statusText}`);
  return body;
}

export const loadState = (user) => fetch(`/local/state?user=${encodeURIComponent(user)}`).then(answer);
export const loadChannel = (user, channel) =>
  fetch(`/local/channels/${channel}?user=${encodeURIComponent(user)}`).then(answer);

/** Posts an action; `files` become the parts files[0], files[1], … */
export function act(name, body, files = []) {
  if (files.length === 0) {
    const headers = { "content-type": "application/json" };
    return fetch(`/local/${name}`, { method: "POST", headers, body: JSON.stringify(body) }).then(answer);
  }
  const form = new FormData();
  form.set("payload_json", JSON.stringify(body));
  files.forEach((file, at) => {
    form.set(`files[${at}]`, file, file.name);
  });
  return fetch(`/local/${name}`, { method: "POST", body: form }).then(answer);
}

/** Follows the events of `user`; after a reconnect it calls `onGap`, to load what was missed. */
export function follow(user, onEvent, onGap) {
  let socket;
  let timer;
  let stopped = false;
  const open = (again) => {
    socket = new WebSocket(`ws://${location.host}/local/events?user=${encodeURIComponent(user)}`);
    socket.onopen = () => again && onGap();
    socket.onmessage = (frame) => onEvent(JSON.parse(frame.data));
    socket.onclose = () => {
      if (!stopped) timer = setTimeout(() => open(true), 1000);
    };
  };
  open(false);
  return () => {
    stopped = true;
    clearTimeout(timer);
    socket.close();
  };
}
