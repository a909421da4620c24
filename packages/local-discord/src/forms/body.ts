import { ApiError, apiErrors } from "../protocol/errors.js";

/** A file part `files[n]` of a request. */
export interface FilePart {
  /** The n of `files[n]`; `attachments[].id` refers to it. */
  readonly index: string;
  readonly filename: string;
  readonly data: Buffer;
}

const PART = /^files\[(\d+)\]$/;

/**
 * Reads JSON or multipart/form-data with `payload_json` and `files[n]`, parts in any order.
 * @throws ApiError 40005 beyond `maxBytes`, 50109 for broken JSON, 400 naming any other part or for a body
 * that breaks off
 */
export async function readBody(
  request: Request,
  maxBytes: number,
): Promise<{ body: unknown; files: FilePart[] }> {
  const type = request.headers.get("content-type") ?? "";
  const bytes = await readBytes(request, maxBytes);
  if (bytes.length === 0) return { body: undefined, files: [] };
  if (!type.startsWith("multipart/form-data")) {
    if (!type.startsWith("application/json")) {
      throw new ApiError(
        400,
        50035,
        `Expected "Content-Type" header to be one of {'application/json', 'multipart/form-data'}, not "${type}".`,
      );
    }
    return { body: parseJson(bytes.toString("utf8")), files: [] };
  }
  const form = await new Response(new Uint8Array(bytes), { headers: { "content-type": type } })
    .formData()
    .catch((cause: unknown) => {
      throw new ApiError(400, 50035, `Broken multipart/form-data: ${String(cause)}`);
    });
  let body: unknown = {};
  const files: FilePart[] = [];
  for (const [name, value] of form) {
    if (name === "payload_json" && typeof value === "string") {
      body = parseJson(value);
      continue;
    }
    const index = PART.exec(name)?.[1];
    if (index === undefined || typeof value === "string") {
      throw new ApiError(
        400,
        50035,
        `Unknown form part "${name}": the local Discord knows payload_json and files[n]`,
      );
    }
    files.push({ index, filename: value.name, data: Buffer.from(await value.arrayBuffer()) });
  }
  return { body, files };
}

async function readBytes(request: Request, maxBytes: number): Promise<Buffer> {
  if (request.body === null) return Buffer.alloc(0);
  const chunks: Uint8Array[] = [];
  let total = 0;
  try {
    for await (const chunk of request.body) {
      total += chunk.length;
      if (total > maxBytes) throw apiErrors.requestTooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof ApiError) throw error;
    // The connection broke, or the body's framing is wrong; the answer may reach nobody.
    throw new ApiError(400, 0, "400: The request's body did not arrive in full");
  }
  return Buffer.concat(chunks);
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw apiErrors.badJson();
  }
}
