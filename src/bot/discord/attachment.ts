import { InputError } from "../../core/errors.js";

export interface DownloadOptions {
  readonly maxBytes: number;
  readonly timeoutMs: number;
  /** Origins (`https://host`) that files may come from. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** Aborted when the program stops. */
  readonly signal: AbortSignal;
}

export const DISCORD_CDN_ORIGINS = ["https://cdn.discordapp.com", "https://media.discordapp.net"] as const;

/**
 * Fetches a file that came with a command. Only from Discord's own hosts, without redirects, and no more than
 * `maxBytes`, whatever size the sender claims.
 *
 * @throws InputError FILE_TOO_BIG or FILE_UNREACHABLE
 */
export async function download(url: string, options: DownloadOptions): Promise<Uint8Array> {
  const { maxBytes, timeoutMs, allowedOrigins, signal } = options;
  if (!URL.canParse(url) || !allowedOrigins.has(new URL(url).origin)) {
    throw unreachable("the file does not lie on Discord's servers");
  }
  try {
    const response = await fetch(url, {
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw unreachable(`the server answered ${response.status}`);
    }
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    // Leaving the loop cancels the stream, so nothing beyond the limit is fetched.
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      bytes += chunk.length;
      if (bytes > maxBytes) {
        throw new InputError("FILE_TOO_BIG", `The file is larger than ${maxBytes} bytes.`, {
          limit: maxBytes,
        });
      }
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw unreachable("the connection failed", error);
  }
}

const unreachable = (reason: string, cause?: unknown): InputError =>
  new InputError(
    "FILE_UNREACHABLE",
    `The attachment could not be fetched: ${reason}. Attach it again.`,
    {},
    { cause },
  );
