/** The hub's live stream by WebSocket: resumed where it broke off, without gap or double, for ever. */

export type StreamEvent = {
  type: "event";
  event_id: string;
  kind: string;
  at: string;
  order_id: string | null;
  flight_id: string | null;
  drone_id: string | null;
  state: string | null;
  detail: string;
  detail_zh: string;
  data: Record<string, unknown>;
};

/** A drone's newest words; WGS-84, metres, degrees, seconds. null where it has not said it. */
export type Sample = {
  type: "telemetry";
  drone_id: string;
  flight_id: string | null;
  at: string;
  phase: string;
  latitude_deg: number | null;
  longitude_deg: number | null;
  altitude_amsl_m: number | null;
  height_above_home_m: number | null;
  heading_deg: number | null;
  charge_fraction: number | null;
  armed: boolean | null;
  eta_s: number | null;
  ground_speed_m_s: number | null;
  climb_rate_m_s: number | null;
  battery_voltage_v: number | null;
  line_length_m: number | null;
  /** Where the wind comes from, as the vehicle estimates it. */
  wind_from_deg: number | null;
  wind_speed_m_s: number | null;
  /** Since its flight computer heard the vehicle. */
  link_age_s: number | null;
  mode: string | null;
  /** false while what the phase asks of the vehicle is commanded and not seen of it yet. */
  shows_phase: boolean | null;
};

type Message = StreamEvent | Sample | { type: "telemetry_batch"; samples: Sample[] } | { type: "hello"; position: string } | { type: "keep_alive" };

export type Link = "connecting" | "live" | "cut";

export type StreamParts = {
  /** The address with topics, without the position. */
  url: () => URL;
  token: () => string | null;
  onEvent: (event: StreamEvent) => void;
  onTelemetry: (sample: Sample) => void;
  /** `resumed`: false for the first connection, and whenever something may have been missed. */
  onLink: (link: Link, resumed: boolean) => void;
  /** The credentials do not hold any more; a renewed token is used with the next try. */
  onRefused: () => void;
  open?: (url: URL, protocols: string[]) => WebSocket;
};

const PROTOCOL = "drone-aed.v1";
/** First pause before another try, and the longest: an operator must not wait for a back-off of minutes. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 4000;
/** The hub says something at least every 15 s; a connection that is silent for longer is dead. */
const SILENT_MS = 20_000;
const NOT_AUTHENTICATED = 4401;
const NOT_ALLOWED = 4403;

export class HubStream {
  #parts: StreamParts;
  #socket: WebSocket | null = null;
  #position: string | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #stopped = true;

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  get position(): string | null {
    return this.#position;
  }

  start(): void {
    this.#stopped = false;
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#drop();
  }

  /** Try now rather than when the pause is over: the computer woke up, or its network came back. */
  hurry(): void {
    if (this.#stopped || this.#socket?.readyState === WebSocket.OPEN) return;
    this.#pauseMs = FIRST_PAUSE_MS;
    this.#drop();
    this.#connect();
  }

  /** The computer says that its network is gone: say so at once, not after the silence. */
  lost(): void {
    if (!this.#stopped) this.#broken();
  }

  #connect(): void {
    const token = this.#parts.token();
    if (token === null) return this.#again();
    const url = this.#parts.url();
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    if (this.#position !== null) url.searchParams.set("after", this.#position);
    this.#parts.onLink("connecting", true);
    const open = this.#parts.open ?? ((at, protocols) => new WebSocket(at, protocols));
    const socket = open(url, [PROTOCOL, `bearer.${token}`]);
    this.#socket = socket;
    this.#heard();
    socket.onmessage = (message: MessageEvent<string>) => this.#take(JSON.parse(message.data) as Message);
    socket.onclose = (closed) => {
      if (this.#socket !== socket) return;
      if (closed.code === NOT_AUTHENTICATED) this.#parts.onRefused();
      if (closed.code === NOT_ALLOWED) this.#pauseMs = LONGEST_PAUSE_MS;
      this.#broken();
    };
  }

  #take(message: Message): void {
    this.#heard();
    switch (message.type) {
      case "hello": {
        // A hub whose database was restored goes on from an earlier position: not everything was heard then.
        const resumed = this.#position === message.position;
        this.#position = message.position;
        this.#pauseMs = FIRST_PAUSE_MS;
        this.#parts.onLink("live", resumed);
        break;
      }
      case "event":
        this.#position = message.event_id;
        this.#parts.onEvent(message);
        break;
      case "telemetry":
        this.#parts.onTelemetry(message);
        break;
      case "telemetry_batch":
        message.samples.forEach(this.#parts.onTelemetry);
        break;
      case "keep_alive":
        break;
    }
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#broken(), SILENT_MS);
  }

  #broken(): void {
    this.#drop();
    if (this.#stopped) return;
    this.#parts.onLink("cut", true);
    this.#again();
  }

  #again(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), this.#pauseMs);
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }

  #drop(): void {
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    const socket = this.#socket;
    this.#socket = null;
    if (socket !== null) {
      socket.onmessage = socket.onclose = null;
      socket.close();
    }
  }
}
