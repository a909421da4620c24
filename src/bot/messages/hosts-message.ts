import { conditionOf, type Host, type HostDevice, hasOtherPictures } from "../../core/hosts/host.js";
import { codeSpan, escapeMarkdown } from "../discord/markdown.js";
import type { Words } from "../words/english/english.js";
import { wholeLines } from "./parts/whole-lines.js";

const OFFERS_SHOWN = 6;
const REASON_MAX = 200;

/** All hosts with what their devices do, as many as a message holds whole; the program that answers comes first. */
export function hostsMessage(hosts: readonly Host[], { hostLines }: Words): string {
  if (hosts.length === 0) return hostLines.none;
  const own = hosts.find(({ isSelf }) => isSelf === true);
  const inOrder = own === undefined ? hosts : [own, ...hosts.filter((host) => host !== own)];
  return wholeLines(
    inOrder.map((host) => hostText(host, own, hostLines)),
    hostLines.more,
  );
}

function hostText(host: Host, own: Host | undefined, lines: Words["hostLines"]): string {
  const { name, role, version, endedAt, agoMs, state } = host;
  const condition = conditionOf(host);
  const wholeMs = Math.max(1, Math.round(agoMs / 1_000)) * 1_000;
  const heard =
    condition === "stopped"
      ? lines.stopped(Math.floor((endedAt ?? 0) / 1_000))
      : condition === "silent"
        ? lines.silent(wholeMs)
        : lines.heard(wholeMs);
  const head = [
    `**${codeSpan(name)}** ${lines.roles[role]}`,
    ...(condition === "waiting" ? [lines.waiting] : []),
    ...(host.paused ? [lines.paused] : []),
    heard,
    own !== undefined && version !== own.version
      ? lines.otherVersion(escapeMarkdown(version))
      : escapeMarkdown(version),
    ...(own !== undefined && hasOtherPictures(host, own) ? [lines.otherPictures] : []),
  ].join(" · ");
  if (condition === "stopped" || condition === "silent") return head;
  const offers = state.offers.slice(0, OFFERS_SHOWN).map(codeSpan);
  return [
    head,
    ...state.devices.map((device) => `> ${deviceText(device, lines)}`),
    ...(offers.length === 0 ? [] : [`> ${lines.offers(offers, state.offers.length - offers.length)}`]),
  ].join("\n");
}

function deviceText(device: HostDevice, lines: Words["hostLines"]): string {
  const { name, opened, phase, jobId, models, loadedBytes, setAside } = device;
  const title = codeSpan(opened === null || opened === name ? name : `${name} (${opened})`);
  if (setAside !== null) return `${title} ${lines.setAside(escapeMarkdown(setAside.slice(0, REASON_MAX)))}`;
  const doing = jobId === null ? lines.idle : lines[phase ?? "image"](codeSpan(jobId));
  return [
    `${title} ${doing}`,
    ...(models.length === 0 ? [] : [lines.loaded(models.map(codeSpan), loadedBytes)]),
  ].join(" · ");
}
