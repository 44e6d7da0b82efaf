import { t, word } from "../i18n/language.svelte";
import { moment } from "./format";

type Clock = { second_of_day: number; utc_offset_s: number };
type Sun = { event: string };
type Weekly = { days: string[]; start: Clock | Sun; end: Clock | Sun };
/** One span of a zone's applicability, as `GET /v1/zones` has it. */
export type Period = { start: string | null; end: string | null; schedule: Weekly[] };

const DAY_S = 86_400;
const WEEK = 7;

/** When a zone holds, in words: a date span in the site's time, weekly hours in their own offset, which is named. */
export function periodText(period: Period, timezone: string): string {
  const [from, until] = [moment(period.start, timezone), moment(period.end, timezone)];
  const span =
    period.start !== null && period.end !== null
      ? t("period.span", { from, until })
      : period.start !== null
        ? t("period.from", { from })
        : period.end !== null
          ? t("period.until", { until })
          : null;
  return [span, ...period.schedule.map(weekly)].filter((part) => part !== null).join(" · ");
}

function weekly(item: Weekly): string {
  const days = item.days.length === WEEK ? t("period.every_day") : item.days.map((day) => word("weekday", day)).join(" ");
  return `${days} ${timeText(item.start)}–${timeText(item.end, true)}`;
}

function timeText(at: Clock | Sun, closes = false): string {
  if ("event" in at) return word("sun", at.event);
  // The hub keeps the midnight that ends a day as the one that begins the next.
  const seconds = closes && at.second_of_day === 0 ? DAY_S : at.second_of_day;
  const two = (part: number): string => String(Math.floor(part)).padStart(2, "0");
  const rest = seconds % 60 === 0 ? "" : `:${two(seconds % 60)}`;
  return `${two(seconds / 3600)}:${two((seconds % 3600) / 60)}${rest} ${offsetText(at.utc_offset_s)}`;
}

function offsetText(seconds: number): string {
  if (seconds === 0) return "UTC";
  const minutes = Math.abs(seconds) / 60;
  const rest = minutes % 60 === 0 ? "" : `:${String(minutes % 60).padStart(2, "0")}`;
  return `UTC${seconds < 0 ? "−" : "+"}${Math.floor(minutes / 60)}${rest}`;
}
