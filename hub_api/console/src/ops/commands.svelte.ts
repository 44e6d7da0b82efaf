import { SvelteMap } from "svelte/reactivity";
import { ApiFailure, api, ask, type Schemas } from "../api/client";
import { whyOf } from "../lib/asked.svelte";
import { session } from "../api/session.svelte";
import { clock } from "../live/clock.svelte";
import { live, type Drone } from "../live/live.svelte";
import { type CommandKind, confirms, leadsTo } from "./confirms";

type Reason = Schemas["ReasonView"];

/**
 * What became of a command. `accepted` is a promise of the drone's flight computer; only `confirmed` says that the
 * vehicle does it: its phase shows it.
 */
export type Sent = {
  kind: CommandKind;
  droneId: string;
  atMs: number;
  /** The mission that it was meant for: of the next one it says nothing. */
  missionId: string | null;
  /** `unsure`: the hub did not answer, so nobody knows whether it has the command. */
  state: "sending" | "unanswered" | "unsure" | "accepted" | "confirmed" | "refused" | "failed" | "undone";
  phase?: string;
  /** The phase that its flight computer went over to; it is one only once the vehicle shows it. */
  entered?: string;
  /** The chosen place of a diversion: its own report of the new way confirms it, no phase does. */
  to: Schemas["DivertTo"] | null;
  reasons: readonly Reason[];
};

const WAITING: ReadonlySet<Sent["state"]> = new Set(["sending", "accepted", "unanswered", "unsure"]);
/** How long a finished command stays on the screen, so that it was seen. */
const SHOWN_MS = 20_000;

const LOOK_MS = 250;

class Commands {
  /** The last command of each drone. */
  readonly sent = new SvelteMap<string, Sent>();

  constructor() {
    live.listen((event) => {
      if (event.drone_id === null) return;
      if (event.kind === "phase_changed") this.#onPhase(event.drone_id, String(event.data["phase"] ?? ""));
      if (event.kind === "diversion_settled") this.#onDiversion(event.drone_id, event.data);
    });
    if (typeof window !== "undefined") setInterval(() => this.#look(), LOOK_MS);
  }

  async send(droneId: string, kind: CommandKind, reason: string, to: Sent["to"] = null): Promise<void> {
    const missionId = live.drone(droneId)?.mission_id ?? null;
    this.#set(droneId, { kind, droneId, missionId, atMs: performance.now(), state: "sending", reasons: [], to });
    try {
      const answer = await ask(
        api.POST("/v1/drones/{drone_id}/commands", {
          params: { path: { drone_id: droneId } },
          body: { command: kind, reason, to },
        }),
      );
      const known = this.sent.get(droneId);
      // The vehicle may have shown it before the answer came.
      if (known?.kind !== kind || known.state === "confirmed" || known.state === "undone") return;
      if (answer.outcome === "refused") this.#set(droneId, { ...known, state: "refused", reasons: answer.reasons });
      else this.#set(droneId, { ...known, state: answer.outcome === "accepted" ? "accepted" : "unanswered" });
      // It may be in that phase already, or its event came before the answer.
      if (answer.outcome === "accepted") this.#onPhase(droneId, live.telemetry.tracks.get(droneId)?.sample.phase ?? "");
    } catch (error) {
      const failure = error as ApiFailure;
      const known = this.sent.get(droneId);
      if (known?.kind !== kind) return;
      // Its phase may have shown it before the question failed.
      if (!WAITING.has(known.state)) return;
      const reasons = [{ code: String(failure.status), detail: failure.message, detail_zh: whyOf(failure) }];
      if (failure.unreachable) this.#set(droneId, { ...known, state: "unsure" });
      else this.#set(droneId, { ...known, state: "failed", reasons });
    }
  }

  /** Its flight computer went over to a phase that the command leads to: a promise still, see `confirms`. */
  #onPhase(droneId: string, phase: string): void {
    const known = this.sent.get(droneId);
    if (known === undefined || known.to !== null || !WAITING.has(known.state) || !leadsTo(known.kind, phase)) return;
    this.#set(droneId, { ...known, entered: phase });
    this.#look();
  }

  #look(): void {
    for (const [droneId, known] of this.sent) {
      const track = live.telemetry.tracks.get(droneId);
      const ageS = live.telemetry.ageS(droneId, performance.now(), clock.speedup);
      if (track === undefined || ageS === null || !WAITING.has(known.state)) continue;
      const heardMs = performance.now() - (ageS / clock.speedup) * 1000;
      if (confirms(known, track.sample, heardMs)) this.#set(droneId, { ...known, state: "confirmed", phase: track.sample.phase });
    }
  }

  #onDiversion(droneId: string, data: Record<string, unknown>): void {
    const known = this.sent.get(droneId);
    const to = data["to"] as Sent["to"];
    if (known?.to == null || known.to.kind !== to?.kind || known.to.id !== to.id || !WAITING.has(known.state)) return;
    const reasons = (data["reasons"] ?? []) as readonly Reason[];
    if (data["outcome"] === "diverted") this.#set(droneId, { ...known, state: "confirmed", phase: "rerouted" });
    else this.#set(droneId, { ...known, state: "undone", reasons });
  }

  #set(droneId: string, sent: Sent): void {
    this.sent.set(droneId, sent);
    if (WAITING.has(sent.state)) return;
    setTimeout(() => {
      if (this.sent.get(droneId) === sent) this.sent.delete(droneId);
    }, SHOWN_MS);
  }
}

export const commands = new Commands();

/** Why a command can not be given; null: it can. By role, connection, then what the drone's phase says. */
export function whyNot(drone: Drone, kind: CommandKind): { role: true } | { cut: true } | Reason | null {
  if (!session.may("fleet:command")) return { role: true };
  if (live.link === "cut") return { cut: true };
  return drone.commands.find((option) => option.command === kind)?.refused ?? null;
}
