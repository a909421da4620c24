import { connect } from "node:net";
import fc from "fast-check";

/** What the server under attack answers to, so that requests get past its door too. */
export interface Target {
  readonly port: number;
  /** Paths that it serves. */
  readonly paths: readonly string[];
  /** Headers that let a request in, such as its authorization. */
  readonly headers: readonly string[];
}

/** Long enough for the answer to a whole request; a part of one gets none. */
const PATIENCE_MS = 100;

export interface RawRequest {
  /** What is written, one write each, Latin-1. */
  readonly writes: readonly string[];
  /**
   * How the client leaves after its last write: it half-closes with the first byte of the answer or after
   * `PATIENCE_MS`, half-closes or resets the connection at once, or resets it with the first byte.
   */
  readonly leave: "end" | "end-at-once" | "reset" | "reset-on-answer";
}

const METHODS = "GET GET GET POST POST PUT PATCH DELETE HEAD OPTIONS TRACE".split(" ");
const ODD_METHODS = [..."CONNECT PROPFIND PURGE M-SEARCH QUERY get BREW PRI __proto__".split(" "), ""];
const ODD_VERSIONS = ["", " HTTP/1.0", " HTTP/2.0", " HTTP/9.9", " http/1.1", " RTSP/1.0"];
const ODD_TARGETS = [
  ..."//[ //a:99999/ //[::1 ///// http://[ http://a:99999/ https://[::1]:x/ http:// http:/// * ** ? # / /? /# //".split(
    " ",
  ),
  ..."/%00 /%ff /%E0%A4%A /%2e%2e/%2e%2e/etc/passwd /../../etc/passwd /.. /\\ /\\..\\ /[ /a:b@c /;a=b".split(
    " ",
  ),
  ..."/vendor/__proto__ /vendor/constructor /vendor/toString /page/__proto__ /page/..%2fserver.js".split(" "),
  ..."/api/v10/__proto__ /cdn/attachments/1/2/3 /cdn/attachments/%/%/% file:///etc/passwd ws://a/ localhost:80".split(
    " ",
  ),
  "",
];
const ODD_VALUES = [
  ...'x 0 -1 1 99999999999999999999 chunked gzip,chunked identity null * \u00ff\u00fe a;b=c;d=" bytes=0- {} %00'.split(
    " ",
  ),
  "multipart/form-data",
  "multipart/form-data; boundary=x",
  "application/json",
  "text/plain",
  "100-continue",
  "200-ok",
  "upgrade, close",
  "a\tb",
  "a\u0000b",
  "",
  "v".repeat(20_000),
];
const NAMES = [
  ..."host origin connection upgrade content-length content-type transfer-encoding expect accept cookie range te".split(
    " ",
  ),
  ..."authorization sec-websocket-key sec-websocket-version sec-websocket-extensions sec-websocket-protocol".split(
    " ",
  ),
  ..."trailer keep-alive proxy-connection forwarded x-http-method-override __proto__ constructor a:b".split(
    " ",
  ),
  "bad name",
  "",
];
const BODIES = [
  "",
  "{",
  "null",
  "[]",
  '"x"',
  '{"user":"alice","channel":"general","content":"hello"}',
  '{"user":"__proto__","channel":"constructor","content":"x"}',
  '{"user":"alice","channel":"general","name":"toString","options":{"__proto__":{"file":0}}}',
  '{"content":1,"__proto__":{"a":1},"constructor":{"prototype":{"a":1}}}',
  '{"content":"x","embeds":[{"constructor":1}],"components":[{"type":1,"components":[{"type":2,"__proto__":1}]}]}',
  '{"name":"__proto__","description":"x","options":[{"type":3,"name":"constructor","description":"x"}]}',
  '{"type":4,"data":{"content":"x"}}',
  '{"recipient_id":"1"}',
  "[".repeat(5000),
  "5\r\nhello\r\n0\r\n\r\n",
  "zz\r\n",
  "ffffffffffffffff\r\n",
  '--x\r\ncontent-disposition: form-data; name="payload_json"\r\n\r\n{\r\n--x--\r\n',
  '--x\r\ncontent-disposition: form-data; name="files[0]"; filename="../x"\r\n\r\ny\r\n--x--\r\n',
];
/** A masked text frame of fewer than 126 bytes; the mask is zero. */
const frame = (text: string) => `\u0081${String.fromCharCode(0x80 | text.length)}\0\0\0\0${text}`;
/** After a handshake: garbage, an unmasked frame, a close, a length that lies, payloads of any shape. */
const FRAMES = [
  "garbage",
  "\u0081\u0002hi",
  "\u0088\u0080\u0001\u0002\u0003\u0004",
  "\u0081\u00ff\u007f\u00ff",
  "\u00c1\u0080abcd",
  ...["", "null", "[]", "{}", '{"op":1}', '{"op":1,"d":"x"}', '{"op":"__proto__","d":{}}'].map(frame),
  ...[
    '{"op":2,"d":null}',
    '{"op":2,"d":{"token":1}}',
    '{"op":6,"d":{}}',
    '{"op":8,"d":{"guild_id":"x"}}',
  ].map(frame),
  frame('{"op":1,"d":null}').repeat(130),
];

const mostly = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>, weight = 9): fc.Arbitrary<T> =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: odd });

/** Requests and upgrades as no client should send them, and well-formed ones; every one for `target`. */
export function rawRequests(target: Target): fc.Arbitrary<RawRequest> {
  const own = `host: 127.0.0.1:${target.port}`;
  const odd = fc.oneof(
    fc.constantFrom(...ODD_TARGETS),
    fc
      .tuple(fc.constantFrom(...target.paths), fc.constantFrom(...ODD_TARGETS, "x".repeat(20_000)))
      .map((parts) => parts.join("")),
    fc
      .tuple(fc.constantFrom("http://", "//", "ws://"), fc.constantFrom("evil.example", own.slice(6), "["))
      .map(([scheme, host]) => `${scheme}${host}${target.paths[0]}`),
    fc.string({ unit: "binary-ascii", maxLength: 20 }).map((text) => `/${text}`),
  );
  const host = mostly(
    fc.constant(own),
    fc.constantFrom("host: evil.example", "host:", "host: [", `${own}\r\nhost: evil.example`, "x: y"),
  );
  const header = mostly(
    fc.constantFrom(...target.headers),
    fc.oneof(
      fc
        .tuple(
          fc.constantFrom(...NAMES),
          fc.constantFrom(": ", ":", " : ", ""),
          fc.constantFrom(...ODD_VALUES),
        )
        .map((parts) => parts.join("")),
      fc.string({ unit: "binary-ascii", maxLength: 30 }),
    ),
  );
  const upgrade = fc.oneof(
    { weight: 3, arbitrary: fc.constant<string[]>([]) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(
          mostly(fc.constant("websocket"), fc.constantFrom("h2c", "WebSocket", "")),
          mostly(fc.constant("13"), fc.constantFrom("8", "x")),
          mostly(fc.constant("dGhlIHNhbXBsZSBub25jZQ=="), fc.constantFrom("short", "")),
        )
        .map(([protocol, version, key]) => [
          "connection: Upgrade",
          `upgrade: ${protocol}`,
          `sec-websocket-version: ${version}`,
          `sec-websocket-key: ${key}`,
        ]),
    },
  );
  const whole = fc
    .record({
      method: mostly(fc.constantFrom(...METHODS), fc.constantFrom(...ODD_METHODS)),
      path: mostly(fc.constantFrom(...target.paths), odd, 2),
      version: mostly(fc.constant(" HTTP/1.1"), fc.constantFrom(...ODD_VERSIONS)),
      host,
      headers: fc.array(header, { maxLength: 4 }),
      upgrade,
      body: fc.constantFrom(...BODIES),
      length: fc.constantFrom("right", "right", "too long", "none"),
      frame: fc.constantFrom("", ...FRAMES),
    })
    .map(({ method, path, version, host, headers, upgrade, body, length, frame }) => {
      const size =
        length === "none" || body === ""
          ? []
          : [`content-length: ${body.length + (length === "right" ? 0 : 9)}`];
      const lines = [
        `${upgrade.length > 0 && /^P/.test(method) ? "GET" : method} ${path}${version}`,
        host,
        ...upgrade,
        ...size,
        ...headers,
      ];
      return `${lines.join("\r\n")}\r\n\r\n${upgrade.length > 0 ? frame : body}`;
    });
  return fc
    .record({
      text: fc.oneof(
        { weight: 9, arbitrary: whole },
        { weight: 1, arbitrary: fc.string({ unit: "binary-ascii", maxLength: 200 }) },
        // Two requests at once.
        { weight: 1, arbitrary: fc.tuple(whole, whole).map((both) => both.join("")) },
      ),
      keep: mostly(fc.constant(100), fc.nat(100), 4),
      cut: mostly(fc.constant(0), fc.nat(100), 4),
      leave: fc.constantFrom<RawRequest["leave"]>(
        "end",
        "end",
        "end",
        "end-at-once",
        "reset",
        "reset-on-answer",
      ),
    })
    .map(({ text, keep, cut, leave }) => {
      const sent = text.slice(0, Math.ceil((text.length * keep) / 100));
      const at = Math.floor((sent.length * cut) / 100);
      return { writes: [sent.slice(0, at), sent.slice(at)].filter((it) => it !== ""), leave };
    });
}

export interface Outcome {
  /** Everything that the server answered, Latin-1. */
  readonly answer: string;
  /** Whether the server neither closed the connection nor answered in time. */
  readonly hung: boolean;
}

/** Sends one raw request to loopback and waits until the connection is over. Rejects if nobody listens. */
export function sendRaw(port: number, { writes, leave }: RawRequest, limitMs = 10_000): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let answer = "";
    let hung = false;
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.setEncoding("latin1").setNoDelay(true);
    let patience: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => {
      hung = true;
      socket.destroy();
    }, limitMs);
    socket.on("connect", () => {
      const [first = "", second] = writes;
      const last = () => {
        if (leave === "reset") socket.resetAndDestroy();
        else if (leave === "end-at-once") socket.end();
        else patience = setTimeout(() => socket.end(), PATIENCE_MS);
      };
      socket.write(first, "latin1", () => {
        if (second === undefined) last();
        else socket.write(second, "latin1", last);
      });
    });
    socket.on("data", (text) => {
      answer += text;
      if (leave === "reset-on-answer") socket.resetAndDestroy();
      else if (leave === "end") socket.end();
    });
    // The server closed its side.
    socket.on("end", () => socket.destroy());
    // A reset by the server is an answer like any other; that nobody listens is not.
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") reject(error);
      socket.destroy();
    });
    socket.on("close", () => {
      clearTimeout(timer);
      clearTimeout(patience);
      resolve({ answer, hung });
    });
  });
}

/** Sends all requests, `width` at a time; calls `check` with each outcome. */
export async function sendAll(
  port: number,
  requests: readonly RawRequest[],
  check: (request: RawRequest, outcome: Outcome) => void,
  width = 40,
): Promise<void> {
  const rest = requests.values();
  const lane = async () => {
    for (const request of rest) check(request, await sendRaw(port, request));
  };
  await Promise.all(Array.from({ length: width }, lane));
}
