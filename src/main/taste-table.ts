import type { OperatorTaste } from "local-discord";
import type { Store } from "../db/store.js";
import { type KnownPhrase, likingOf } from "../taste/known-phrases.js";
import type { Tastes } from "../taste/tastes.js";

export interface TasteTableOptions {
  readonly store: Pick<Store, "settings" | "votes">;
  readonly tastes: Tastes;
  /** Whether rewrites are chosen by taste in a server that has not set it. */
  readonly isOn: boolean;
  /** Null where the bot does not know the server. */
  readonly nameOf: (guildId: string) => string | null;
}

/** Servers in one answer. */
const PAGE = 20;
/** The surest of each kind. */
const PHRASES = 5;

/**
 * What each server likes, for the operator's panel: a list of the servers with votes, or that have taste on, which
 * fits nothing; and one server's own, as `/taste show` tells it.
 */
export const tasteTable = ({ store, tastes, isOn, nameOf }: TasteTableOptions): OperatorTaste => ({
  async servers(skip) {
    const votes = await tastes.votes();
    const set = await store.settings.ofServers("taste");
    const turnedOn = [...set].flatMap(([id, on]) => (on ? [id] : []));
    const ids = [...new Set([...votes.keys(), ...turnedOn])].sort(
      (a, b) => (votes.get(b) ?? 0) - (votes.get(a) ?? 0) || (a < b ? -1 : 1),
    );
    const servers = ids.slice(skip, skip + PAGE).map((id) => {
      const name = nameOf(id);
      const row = { id, on: set.get(id) ?? isOn, votes: votes.get(id) ?? 0 };
      return name === null ? row : { ...row, name };
    });
    return { servers, more: ids.length > skip + PAGE };
  },

  async of(guildId) {
    const { liked, disliked } = likingOf(await tastes.of(guildId));
    const { with: chosen, without: first } = await store.votes.tasteShares(guildId);
    return {
      chosen,
      first,
      liked: liked.slice(0, PHRASES).map(phraseOf),
      disliked: disliked.slice(0, PHRASES).map(phraseOf),
    };
  },
});

const phraseOf = ({ phrase, share, interval, n }: KnownPhrase) => ({ phrase, share, ...interval, n });
