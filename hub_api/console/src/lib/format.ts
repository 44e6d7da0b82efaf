/** Numbers and times as the console writes them: units always, seconds always, «–» for what is not known. */

export const UNKNOWN = "–";

/** 75 → «1:15», −5 → «−0:05», 3700 → «1:01:40». */
export function minutes(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return UNKNOWN;
  const whole = Math.round(Math.abs(seconds));
  const sign = seconds < -0.5 ? "−" : "";
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const two = (part: number): string => String(part).padStart(2, "0");
  return h > 0 ? `${sign}${h}:${two(m)}:${two(s)}` : `${sign}${m}:${two(s)}`;
}

/** A number with its unit, «–» for null. A thin no-break space keeps both on one line. */
export function quantity(value: number | null | undefined, unit: string, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  return `${value.toFixed(digits)} ${unit}`;
}

/** 0.834 → «83 %», rounded down: a battery is never shown fuller than it is. */
export function percent(fraction: number | null | undefined): string {
  if (fraction === null || fraction === undefined || !Number.isFinite(fraction)) return UNKNOWN;
  return `${Math.floor(fraction * 100 + 1e-9)} %`;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function format(kind: string, timezone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${kind} ${timezone}`;
  let found = formats.get(key);
  if (found === undefined) {
    // en-GB in both languages: 24 hours, seconds, digits that read the same to everybody.
    found = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, hourCycle: "h23", ...options });
    formats.set(key, found);
  }
  return found;
}

/** «18:04:31», in the site's time zone. */
export function timeOfDay(at: Date | string | null | undefined, timezone: string): string {
  if (at === null || at === undefined) return UNKNOWN;
  return format("time", timezone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(date(at));
}

/** «2026-11-30», in the site's time zone. */
export function day(at: Date | string | null | undefined, timezone: string): string {
  if (at === null || at === undefined) return UNKNOWN;
  const parts = format("day", timezone, { year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(date(at));
  const part = (type: string): string => parts.find((item) => item.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

/** «2026-11-30 18:04:31», in the site's time zone. */
export function moment(at: Date | string | null | undefined, timezone: string): string {
  return at === null || at === undefined ? UNKNOWN : `${day(at, timezone)} ${timeOfDay(at, timezone)}`;
}

/** «UTC+8»: which local time is meant. */
export function zoneName(timezone: string, at: Date): string {
  const parts = format("zone", timezone, { timeZoneName: "shortOffset" }).formatToParts(at);
  return (parts.find((item) => item.type === "timeZoneName")?.value ?? timezone).replace("GMT", "UTC");
}

/** «NE», «北» …: a direction on the eight-point compass. `from_deg` clockwise from true north. */
export function compass(deg: number, language: "en" | "zh"): string {
  const names =
    language === "zh"
      ? ["北", "东北", "东", "东南", "南", "西南", "西", "西北"]
      : ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];
  return names[Math.round((((deg % 360) + 360) % 360) / 45) % 8] ?? "";
}

function date(at: Date | string): Date {
  return typeof at === "string" ? new Date(at) : at;
}
