import type { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import { type OperatorActions, type OperatorBoard, serverTaste, tasteServers } from "./operator.js";

const BODY_BYTES = 10_000;
const bodies = {
  cancel: z.strictObject({ job: z.string().min(1).max(64) }),
  pause: z.strictObject({}),
  resume: z.strictObject({}),
  pauseHost: z.strictObject({ host: z.string().min(1).max(300) }),
  resumeHost: z.strictObject({ host: z.string().min(1).max(300) }),
} as const;

const small = bodyLimit({
  maxSize: BODY_BYTES,
  onError: (context) => context.json({ message: `The body may have ${BODY_BYTES} bytes at most` }, 413),
});

/**
 * What the panel reads and does. Other sites can't reach it: the server refuses their origins and host names,
 * and an action takes JSON only, which no form of another site can send.
 */
export function mountOperator(app: Hono, board: OperatorBoard): void {
  app.get("/local/operator", async (context) =>
    context.json({
      snapshot: await board.current(),
      actions: Object.keys(board.actions),
      taste: board.taste !== null,
    }),
  );
  const { taste } = board;
  if (taste !== null) {
    app.get("/local/operator/taste", async (context) => {
      const skip = z.coerce
        .number()
        .int()
        .nonnegative()
        .safeParse(context.req.query("skip") ?? 0);
      if (!skip.success) return context.json({ message: "`skip` must be a whole number from 0" }, 400);
      return context.json(tasteServers.parse(await taste.servers(skip.data)));
    });
    app.get("/local/operator/taste/:server{\\d{1,20}}", async (context) =>
      context.json(serverTaste.parse(await taste.of(context.req.param("server")))),
    );
  }
  const action = <N extends keyof OperatorActions>(
    name: N,
    run: (act: NonNullable<OperatorActions[N]>, body: z.output<(typeof bodies)[N]>) => Promise<unknown>,
  ) =>
    app.post(`/local/operator/${name}`, small, async (context) => {
      const act = board.actions[name];
      if (act === undefined) return context.json({ message: `The program offers no ${name}` }, 404);
      if (!/^application\/json\s*(;|$)/i.test(context.req.header("content-type") ?? ""))
        return context.json({ message: "The body must be application/json" }, 415);
      const body: unknown = await context.req.json().catch(() => undefined);
      const parsed = bodies[name].safeParse(body);
      if (!parsed.success) return context.json({ message: z.prettifyError(parsed.error) }, 400);
      await run(act, parsed.data as z.output<(typeof bodies)[N]>);
      return context.json({});
    });
  action("cancel", (cancel, { job }) => cancel(job));
  action("pause", (pause) => pause());
  action("resume", (resume) => resume());
  action("pauseHost", (pause, { host }) => pause(host));
  action("resumeHost", (resume, { host }) => resume(host));
}
