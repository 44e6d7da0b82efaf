import type { Component } from "svelte";
import type { TextKey } from "./i18n/language.svelte";

/** A page of the console. Add one here and its texts to `i18n/`; it is loaded when somebody first opens it. */
export type Page = {
  /** First part of the address after `#/`. */
  path: string;
  title: TextKey;
  load: () => Promise<{ default: Component }>;
  /** Without this scope the page is shown in the menu, greyed out, and says why. */
  scope?: string;
};

export const pages: readonly Page[] = [
  { path: "", title: "nav.operations", load: () => import("./pages/Operations.svelte"), scope: "fleet:read" },
  { path: "readiness", title: "nav.readiness", load: () => import("./pages/Readiness.svelte"), scope: "fleet:read" },
  { path: "records", title: "nav.records", load: () => import("./pages/Records.svelte"), scope: "fleet:read" },
  { path: "figures", title: "nav.figures", load: () => import("./pages/FiguresPage.svelte"), scope: "reports:read" },
  { path: "administration", title: "nav.administration", load: () => import("./pages/Administration.svelte"), scope: "fleet:read" },
  { path: "shortcuts", title: "nav.shortcuts", load: () => import("./pages/Shortcuts.svelte") },
];

export function pageOf(path: string): Page {
  return pages.find((page) => page.path === path) ?? (pages[0] as Page);
}
