import type { TextKey } from "../i18n/language.svelte";

/** Every key of the console, in one place: the page of shortcuts shows it and the pages take it from here. */
type Key = { key: string; shown: string; does: TextKey; group: "everywhere" | "operations" };

export const KEYS = [
  { key: "1", shown: "1", does: "key.operations", group: "everywhere" },
  { key: "?", shown: "?", does: "key.shortcuts", group: "everywhere" },
  { key: "l", shown: "L", does: "key.language", group: "everywhere" },
] as const satisfies readonly Key[];

export type KeyName = (typeof KEYS)[number]["key"];
