import { Hono } from "hono";
import { type Served, serveLoopback } from "./loopback.js";
import { mountPage } from "./page/files.js";
import {
  type OperatorActions,
  OperatorBoard,
  type OperatorSource,
  type OperatorTaste,
} from "./page/operator.js";
import { mountOperator } from "./page/operator-routes.js";

export interface OperatorPanelOptions {
  readonly port: number;
  readonly operator: OperatorSource;
  readonly actions?: OperatorActions;
  readonly taste?: OperatorTaste;
}

export type OperatorPanel = Pick<Served, "url" | "close">;

/**
 * Serves the operator's panel alone, for a bot that is on the real Discord. On loopback and to its own origin
 * only, as the local Discord. @throws PortTaken
 */
export async function startOperatorPanel(options: OperatorPanelOptions): Promise<OperatorPanel> {
  const app = new Hono();
  mountPage(app, "panel.html");
  mountOperator(app, new OperatorBoard(options.operator, options.actions, options.taste));
  app.onError((error, context) => {
    // A bug, or a source that fails: the terminal gets the stack, the answer would show this machine's paths.
    console.error(error);
    return context.json({ message: "The program's state can't be read. The log says why" }, 500);
  });
  return serveLoopback(app, { port: options.port });
}
