import { customAlphabet } from "nanoid";

/**
 * A new job's or draft's id: 12 of 30 characters, 58 bits. No look-alikes (0 o, 1 i l, u v). Fits a URL, a file name,
 * a nonce and a button.
 */
export const newId = customAlphabet("23456789abcdefghjkmnpqrstvwxyz", 12);

/** Whether `newId` may have made it. */
export const isId = (text: string): boolean => /^[2-9a-hjkmnp-tv-z]{12}$/.test(text);
