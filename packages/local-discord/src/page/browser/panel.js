// The operator's panel as a page of its own, for a bot that is on the real Discord.
import { render } from "preact";
import { html } from "./api.js";
import { State } from "./operator.js";

const root = document.getElementById("app");
root.textContent = "";
render(
  html`<main class="operator"><header><h1>Operator</h1></header><div class="operator-view"><${State} names=${() => undefined} /></div></main>`,
  root,
);
