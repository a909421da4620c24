import { existsSync } from "node:fs";
import { delimiter, join, resolve } from "node:path";

/**
 * Absolute paths of a list with commas, semicolons or what PATH has between its folders. A folder whose name has
 * such a sign itself is known by being there.
 */
export function foldersIn(list: string, root: string, home: string | undefined): string[] {
  const signs = delimiter === ":" ? /([,;:])/ : /([,;])/;
  const pieces = list.split(signs);
  const folders: string[] = [];
  for (let at = 0; at < pieces.length; ) {
    let end = at + 1;
    for (let tried = pieces.length; tried > at + 1; tried -= 2)
      if (existsSync(pathOf(pieces.slice(at, tried).join(""), root, home))) {
        end = tried;
        break;
      }
    const given = pieces.slice(at, end).join("").trim();
    if (given !== "") folders.push(pathOf(given, root, home));
    at = end + 1;
  }
  return [...new Set(folders)];
}

/** An absolute path; `~` stands for the home folder, as a shell has it. */
const pathOf = (given: string, root: string, home: string | undefined): string => {
  const path = given.trim().replace(/^(["'])(.*)\1$/, "$2");
  return resolve(root, home === undefined ? path : path.replace(/^~(?=$|[\\/])/, () => home));
};

/** As huggingface_hub finds it. */
export function hubCacheOf(
  { HF_HUB_CACHE, HF_HOME }: { readonly HF_HUB_CACHE: string; readonly HF_HOME: string },
  xdgCache: string | undefined,
  home: string | undefined,
  root: string,
): string | undefined {
  const path = (given: string) => pathOf(given, root, home);
  if (HF_HUB_CACHE !== "") return path(HF_HUB_CACHE);
  if (HF_HOME !== "") return path(join(HF_HOME, "hub"));
  const caches = xdgCache || (home && join(home, ".cache"));
  return caches ? path(join(caches, "huggingface", "hub")) : undefined;
}
