import type { TestProject } from "vitest/node";
import { createPostgresServer, postgresPrograms } from "./postgres-server.js";

declare module "vitest" {
  interface ProvidedContext {
    /** Address of the server of this run; null on a machine without PostgreSQL. */
    readonly postgresUrl: string | null;
  }
}

/** Starts a server for the project `postgres`. */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const programs = postgresPrograms();
  if (programs === null) {
    console.warn("The tests of PostgreSQL are skipped: it is not installed on this machine.");
    project.provide("postgresUrl", null);
    return undefined;
  }
  const server = await createPostgresServer(programs);
  project.provide("postgresUrl", server.url);
  return () => server.remove();
}
