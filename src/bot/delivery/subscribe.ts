import type { EventEmitter } from "node:events";
import type { AppEvents, Events } from "../../core/events.js";

export type EventHandlers = { readonly [K in keyof AppEvents]?: (...args: AppEvents[K]) => void };

/** Listens to several events at once; the answer ends it. */
export function subscribe(events: Events, handlers: EventHandlers): () => void {
  // The types above relate each name to its arguments; over a list of names TypeScript cannot.
  const emitter: EventEmitter = events;
  const pairs = Object.entries(handlers) as [string, (...args: unknown[]) => void][];
  for (const [name, handler] of pairs) emitter.on(name, handler);
  return () => {
    for (const [name, handler] of pairs) emitter.off(name, handler);
  };
}
