import { expect, test } from "vitest";
import { distanceM, courseDeg, parsePosition, shownDistance } from "../src/lib/geo";
import { KEYS } from "../src/lib/keys";
import { levelOf } from "../src/live/alarm-levels";
import type { OrderLine } from "../src/live/live.svelte";
import { inPlaces } from "../src/lib/steady.svelte";
import { confirms } from "../src/ops/confirms";
import { byUrgency } from "../src/ops/urgency";
import { search, type Searchable } from "../src/ops/search";

function order(order_id: string, state: string, severity: string, at: string): OrderLine {
  return { order_id, state, severity, received_at: at } as OrderLine;
}

test("what waits for a person comes first, then severity, then who has waited longest", () => {
  const orders = [
    order("returning", "RETURNING", "I", "2026-11-30T00:00:00Z"),
    order("young", "AIRBORNE", "I", "2026-11-30T00:02:00Z"),
    order("mild", "AIRBORNE", "III", "2026-11-30T00:00:00Z"),
    order("old", "LAUNCHING", "I", "2026-11-30T00:01:00Z"),
    order("failing", "FAILING", "IV", "2026-11-30T00:03:00Z"),
    order("waits", "AWAITING_APPROVAL", "II", "2026-11-30T00:04:00Z"),
  ];
  expect(byUrgency(orders).map((item) => item.order_id)).toEqual(["waits", "failing", "old", "young", "mild", "returning"]);
});

const places: Searchable[] = [
  { kind: "station", id: "st-1", label: "宝安中心站点", longitudeDeg: 113.88, latitudeDeg: 22.55, words: ["st-1", "Bao'an Centre", "宝安中心站点"] },
  { kind: "landing_point", id: "lp-park", label: "公园", longitudeDeg: 113.9, latitudeDeg: 22.57, words: ["lp-park", "Lingzhi Park", "灵芝公园南草坪"] },
  { kind: "drone", id: "bao-01", label: "bao-01", longitudeDeg: null, latitudeDeg: null, words: ["bao-01"] },
];

test("search finds by id, by either name, and by position; what begins so comes first", () => {
  expect(search("灵芝", places).map((item) => item.id)).toEqual(["lp-park"]);
  expect(search("BAO", places).map((item) => item.id)).toEqual(["st-1", "bao-01"]);
  expect(search("park", places).map((item) => item.id)).toEqual(["lp-park"]);
  expect(search("22.5548, 113.8838", places)[0]).toMatchObject({ kind: "position", latitudeDeg: 22.5548, longitudeDeg: 113.8838 });
  expect(search("  ", places)).toEqual([]);
  expect(search("nowhere", places)).toEqual([]);
});

test("a position is latitude first, and nothing else is taken for one", () => {
  expect(parsePosition("22.5，113.8")).toEqual({ latitudeDeg: 22.5, longitudeDeg: 113.8 });
  expect(parsePosition("113.8, 22.5")).toBeNull();
  expect(parsePosition("22.5")).toBeNull();
  expect(parsePosition("91, 10")).toBeNull();
});

test("measured distances and courses", () => {
  expect(distanceM([113.88, 22.55], [113.88, 22.56])).toBeCloseTo(1111.9, 0);
  expect(courseDeg([113.88, 22.55], [113.98, 22.55])).toBeCloseTo(90, 0);
  expect(courseDeg([113.88, 22.55], [113.87, 22.55])).toBeCloseTo(270, 0);
  expect(shownDistance(842.4)).toBe("842 m");
  expect(shownDistance(3214)).toBe("3.21 km");
});

const at = (kind: string, data: object = {}, flight_id: string | null = "f"): Parameters<typeof levelOf>[0] => ({
  kind, data: data as Record<string, unknown>, flight_id, state: null,
});

test.each([
  [at("safety_action_taken", { action: 1 }), "caution"],
  [at("safety_action_taken", { action: 3 }), "urgent"],
  [at("link_changed", { link: "stale" }), "caution"],
  [at("link_changed", { link: "lost" }), "urgent"],
  [at("link_changed", { link: "lost" }, null), null],
  [at("link_changed", { link: "up" }), null],
  [at("delivery_failed"), "urgent"],
  [at("flight_ended", { safe_state: "on_pad" }), null],
  [at("flight_ended", { safe_state: "landed_elsewhere" }), "urgent"],
  [at("phase_changed", { phase: "handed_over" }), "urgent"],
  [at("phase_changed", { phase: "outbound" }), null],
  [at("decision_declined"), "caution"],
  [at("diversion_settled", { outcome: "no_way" }), "caution"],
  [at("diversion_settled", { outcome: "diverted" }), null],
  [at("aed_on_ground"), null],
])("%o is %s", (event, level) => expect(levelOf(event)).toBe(level));

test("no key has two meanings", () => {
  const keys = KEYS.map((item) => item.key.toLowerCase());
  expect(new Set(keys).size).toBe(keys.length);
});

test("a phase is a promise: a command is confirmed by a vehicle that was heard since and shows it", () => {
  const sent = { kind: "hold_flight", entered: "holding", to: null, atMs: 1000 } as const;
  expect(confirms(sent, { phase: "holding", shows_phase: true }, 1500)).toBe(true);
  expect(confirms(sent, { phase: "holding", shows_phase: false }, 1500)).toBe(false);
  expect(confirms(sent, { phase: "holding", shows_phase: true }, 900)).toBe(false);
  expect(confirms(sent, { phase: "outbound", shows_phase: true }, 1500)).toBe(false);
  expect(confirms({ kind: "hold_flight", to: null, atMs: 1000 }, { phase: "holding", shows_phase: true }, 1500)).toBe(false);
});

test("a list under somebody's hand keeps its places, and what is new comes last", () => {
  expect(inPlaces(["c", "a", "b", "d"], (item) => item, ["a", "b", "c"])).toEqual(["a", "b", "c", "d"]);
  expect(inPlaces(["c", "b"], (item) => item, ["a", "b", "c"])).toEqual(["b", "c"]);
});
