import type { TextKey } from "../i18n/language.svelte";

/** Every key of the console, in one place: the page of shortcuts shows it and the pages take it from here. */
type Key = { key: string; shown: string; does: TextKey; group: "everywhere" | "operations" };

export const KEYS = [
  { key: "1", shown: "1", does: "key.operations", group: "everywhere" },
  { key: "2", shown: "2", does: "key.readiness", group: "everywhere" },
  { key: "3", shown: "3", does: "key.records", group: "everywhere" },
  { key: "4", shown: "4", does: "key.figures", group: "everywhere" },
  { key: "5", shown: "5", does: "key.administration", group: "everywhere" },
  { key: "?", shown: "?", does: "key.shortcuts", group: "everywhere" },
  { key: "l", shown: "L", does: "key.language", group: "everywhere" },
  { key: "k", shown: "K", does: "key.acknowledge", group: "everywhere" },
  { key: "n", shown: "N", does: "key.next", group: "operations" },
  { key: "p", shown: "P", does: "key.previous", group: "operations" },
  { key: "/", shown: "/", does: "key.search", group: "operations" },
  { key: "f", shown: "F", does: "map.follow", group: "operations" },
  { key: "m", shown: "M", does: "map.measure", group: "operations" },
  { key: "0", shown: "0", does: "map.fit", group: "operations" },
  { key: "+", shown: "+", does: "map.zoom_in", group: "operations" },
  { key: "-", shown: "−", does: "map.zoom_out", group: "operations" },
  { key: "ArrowLeft", shown: "←", does: "key.pan", group: "operations" },
  { key: "ArrowRight", shown: "→", does: "key.pan", group: "operations" },
  { key: "ArrowUp", shown: "↑", does: "key.pan", group: "operations" },
  { key: "ArrowDown", shown: "↓", does: "key.pan", group: "operations" },
  { key: "v", shown: "V", does: "key.approve", group: "operations" },
  { key: "h", shown: "H", does: "key.hold", group: "operations" },
  { key: "c", shown: "C", does: "key.continue", group: "operations" },
  { key: "r", shown: "R", does: "key.return", group: "operations" },
  { key: "d", shown: "D", does: "key.divert", group: "operations" },
  { key: "a", shown: "A", does: "key.abort", group: "operations" },
  { key: "x", shown: "X", does: "key.land", group: "operations" },
  { key: "Escape", shown: "Esc", does: "key.back", group: "operations" },
] as const satisfies readonly Key[];

export type KeyName = (typeof KEYS)[number]["key"];
