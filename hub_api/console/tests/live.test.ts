import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HubStream, type Sample, type StreamEvent } from "../src/live/stream";
import { isStale, Telemetry } from "../src/live/telemetry";

function sample(over: Partial<Sample> = {}): Sample {
  return {
    type: "telemetry", drone_id: "d1", flight_id: "f1", at: "2026-11-30T00:00:00Z", phase: "outbound",
    latitude_deg: 22.55, longitude_deg: 113.88, altitude_amsl_m: 60, height_above_home_m: 55, heading_deg: 90,
    ground_speed_m_s: 15, climb_rate_m_s: 0, charge_fraction: 0.8, battery_voltage_v: 25, line_length_m: 0,
    wind_from_deg: null, wind_speed_m_s: null, link_age_s: 0.5, mode: "AUTO", armed: true, eta_s: 60, shows_phase: true, ...over,
  };
}

test("age counts both silences: ours since the sample, the vehicle's before it", () => {
  const telemetry = new Telemetry();
  expect(telemetry.ageS("d1", 0, 1)).toBeNull();
  telemetry.take(sample(), 1000);
  expect(telemetry.ageS("d1", 3000, 1)).toBeCloseTo(2.5);
  expect(telemetry.ageS("d1", 3000, 10)).toBeCloseTo(20.5);
});

test("what is old, or was never heard, is not live", () => {
  expect(isStale(null, 5, 1)).toBe(true);
  expect(isStale(5.1, 5, 1)).toBe(true);
  expect(isStale(4.9, 5, 1)).toBe(false);
  // Accelerated demo: two and a half real seconds.
  expect(isStale(20, 5, 10)).toBe(false);
  expect(isStale(25.1, 5, 10)).toBe(true);
});

test("a trail is of one flight, grows by real distance, and never without end", () => {
  const telemetry = new Telemetry();
  for (let i = 0; i < 5000; i += 1) telemetry.take(sample({ longitude_deg: 113.8 + i * 0.0002 }), i);
  const track = telemetry.tracks.get("d1");
  expect(track?.trail.length).toBeLessThanOrEqual(1600);
  expect(track?.trail.length).toBeGreaterThan(700);
  expect(track?.trail[0]).toBeCloseTo(((113.8 * Math.PI) / 180) * 6378137, 3);
  const before = track?.trail.length;
  telemetry.take(sample({ longitude_deg: 113.8 + 4999 * 0.0002 }), 6000);
  expect(telemetry.tracks.get("d1")?.trail.length).toBe(before);
  telemetry.take(sample({ flight_id: "f2" }), 7000);
  expect(telemetry.tracks.get("d1")?.trail.length).toBe(2);
  telemetry.take(sample({ flight_id: null }), 8000);
  expect(telemetry.tracks.get("d1")?.trail.length).toBe(0);
});

class PlayedSocket {
  static made: PlayedSocket[] = [];
  onmessage: ((message: { data: string }) => void) | null = null;
  onclose: ((closed: { code: number }) => void) | null = null;
  readyState = 1;
  constructor(readonly url: URL, readonly protocols: string[]) {
    PlayedSocket.made.push(this);
  }
  close(): void {
    this.readyState = 3;
  }
  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

function event(id: string): StreamEvent {
  return { type: "event", event_id: id, kind: "phase_changed", at: "", order_id: "o", flight_id: null, drone_id: "d1", state: null, detail: "", detail_zh: "", data: {} };
}

function play() {
  const heard: string[] = [];
  const links: string[] = [];
  const refused = vi.fn();
  const stream = new HubStream({
    url: () => new URL("http://hub/v1/stream?topics=fleet"),
    token: () => "T.o.k",
    onEvent: (item) => heard.push(item.event_id),
    onTelemetry: (item) => heard.push(item.drone_id),
    onLink: (link, resumed) => links.push(`${link}${resumed ? "" : " first"}`),
    onRefused: refused,
    open: (url, protocols) => new PlayedSocket(url, protocols) as unknown as WebSocket,
  });
  stream.start();
  return { stream, heard, links, refused };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", { OPEN: 1 });
  PlayedSocket.made = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a stream that breaks is resumed after the last event, by itself", () => {
  const { heard, links } = play();
  const [first] = PlayedSocket.made;
  expect(first?.url.protocol).toBe("ws:");
  expect(first?.url.searchParams.get("after")).toBeNull();
  expect(first?.protocols).toEqual(["drone-aed.v1", "bearer.T.o.k"]);
  first?.say({ type: "hello", position: "7" });
  first?.say(event("8"));
  first?.say({ type: "telemetry_batch", samples: [sample(), sample({ drone_id: "d2" })] });
  first?.onclose?.({ code: 1006 });
  vi.advanceTimersByTime(600);
  const second = PlayedSocket.made[1];
  expect(second?.url.searchParams.get("after")).toBe("8");
  second?.say({ type: "hello", position: "8" });
  second?.say(event("9"));
  expect(heard).toEqual(["8", "d1", "d2", "9"]);
  expect(links).toEqual(["connecting", "live first", "cut", "connecting", "live"]);
});

test("a hub whose database was restored goes on from an earlier position, and something may have been missed", () => {
  const { heard, links } = play();
  PlayedSocket.made[0]?.say({ type: "hello", position: "70" });
  PlayedSocket.made[0]?.onclose?.({ code: 1006 });
  vi.advanceTimersByTime(600);
  expect(PlayedSocket.made[1]?.url.searchParams.get("after")).toBe("70");
  PlayedSocket.made[1]?.say({ type: "hello", position: "5" });
  PlayedSocket.made[1]?.say(event("6"));
  expect(heard).toEqual(["6"]);
  expect(links.at(-1)).toBe("live first");
});

test("a break before any event resumes from where the stream began, not from now", () => {
  play();
  PlayedSocket.made[0]?.say({ type: "hello", position: "7" });
  PlayedSocket.made[0]?.onclose?.({ code: 1006 });
  vi.advanceTimersByTime(600);
  expect(PlayedSocket.made[1]?.url.searchParams.get("after")).toBe("7");
});

test("a connection that says nothing is dead: the hub speaks at least every fifteen seconds", () => {
  const { links } = play();
  PlayedSocket.made[0]?.say({ type: "hello", position: "1" });
  vi.advanceTimersByTime(15_000);
  PlayedSocket.made[0]?.say({ type: "keep_alive" });
  vi.advanceTimersByTime(19_000);
  expect(links.at(-1)).toBe("live first");
  vi.advanceTimersByTime(1_500);
  expect(links).toContain("cut");
  expect(PlayedSocket.made.length).toBe(2);
});

test("pauses grow to four seconds and no more; an operator never waits for minutes", () => {
  play();
  for (let i = 0; i < 10; i += 1) {
    PlayedSocket.made.at(-1)?.onclose?.({ code: 1006 });
    vi.advanceTimersByTime(4_000);
  }
  expect(PlayedSocket.made.length).toBe(11);
});

test("a token that ran out is renewed; a network that came back is used at once", () => {
  const { stream, refused, links } = play();
  PlayedSocket.made[0]?.onclose?.({ code: 4401 });
  expect(refused).toHaveBeenCalledOnce();
  stream.hurry();
  expect(PlayedSocket.made.length).toBe(2);
  PlayedSocket.made[1]?.say({ type: "hello", position: "1" });
  stream.hurry();
  expect(PlayedSocket.made.length).toBe(2);
  stream.lost();
  expect(links.at(-1)).toBe("cut");
  stream.stop();
  vi.advanceTimersByTime(60_000);
  expect(PlayedSocket.made.length).toBe(2);
});
