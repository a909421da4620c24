import { expect, it } from "vitest";
import { redactor } from "../../src/core/redact.js";

const redact = redactor();

it.each([
  ["https://ada:pass@mirror.example/models", "https://[token]@mirror.example/models"],
  ["http://hf_abcdef@mirror.example:8080", "http://[token]@mirror.example:8080"],
  [
    "from https://ada:p@ss:word@mirror.example?x=a@b, again",
    "from https://[token]@mirror.example?x=a@b, again",
  ],
  ["(socks5://a:b@proxy) and (http://c:d@proxy)", "(socks5://[token]@proxy) and (http://[token]@proxy)"],
])("hides name and password in %s", (text, clean) => {
  expect(redact(text)).toBe(clean);
});

it.each([
  "https://huggingface.co/microsoft/Promptist",
  "ask ada@example.com at https://example.com",
  '{"url":"http://example.com","mail":"ada@example.com"}',
  "https://example.com/@ada and https://example.com/?q=a@b#c@d",
])("leaves %s alone", (text) => {
  expect(redact(text)).toBe(text);
});
