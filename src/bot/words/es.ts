import type { Words } from "./english.js";
import type { Unfinished } from "./translated.js";

export const es: Unfinished<Words> = {};
