import { common } from "./common";
import { management } from "./management";
import { operations } from "./operations";
import { reasons } from "./reasons";

/** Everything that the console says. A page of its own brings a part of its own: add it here. */
export const texts = { ...common, ...management, ...operations, ...reasons } as const;

export type TextKey = keyof typeof texts;
export type Language = "en" | "zh";

const KEPT = "drone-aed.language";

class Chosen {
  now = $state<Language>(initial());

  set(language: Language): void {
    this.now = language;
    localStorage.setItem(KEPT, language);
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  }

  /** For Intl: how numbers and times are written. */
  get locale(): string {
    return this.now === "zh" ? "zh-CN" : "en-GB";
  }
}

function initial(): Language {
  if (typeof localStorage === "undefined") return "zh";
  const kept = localStorage.getItem(KEPT);
  if (kept === "en" || kept === "zh") return kept;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

export const language = new Chosen();

/** The text of this key in the chosen language. */
export function t(key: TextKey, values: Record<string, string | number> = {}): string {
  return fill(texts[key][language.now === "en" ? 0 : 1], values);
}

/** The text of `prefix.word` for a word that the hub said; the word itself where no text is known. */
export function word(prefix: string, value: string, values: Record<string, string | number> = {}): string {
  const key = `${prefix}.${value}`;
  return key in texts ? t(key as TextKey, values) : value;
}

/** Of two sentences that the hub sent, the one in the chosen language. */
export function either(en: string, zh: string): string {
  return language.now === "zh" ? zh || en : en || zh;
}

/** Of one sentence that the hub sent as «English · 中文», the half in the chosen language. */
export function half(both: string): string {
  const [en = "", ...zh] = both.split(" · ");
  return either(en, zh.join(" · "));
}

function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
