import { clock } from "../live/clock.svelte";
import { ApiFailure, api, ask, authenticateWith, type Schemas } from "./client";

const KEPT = "drone-aed.session";
/** Renew when this share of a token's life is over: one lost request does not end a shift. */
const RENEW_AT = 0.6;
const RETRY_S = 5;
/** What a wider scope includes (hub_api/access/principal.py). */
const WIDER: Record<string, string> = { "fleet:maintain": "fleet:command", "reports:read": "orders:read" };

type Person = { id: string; name: string; client: string; scopes: readonly string[] };

/** Who sits here: the token, what it may do, and its renewal until the shift is over. */
class Session {
  person = $state<Person | null>(null);
  /** The hub ended the session: said once on the login page. */
  over = $state(false);
  #token: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  get token(): string | null {
    return this.#token;
  }

  /** Whether the credentials reach so far. The hub decides; this only greys out what it would refuse. */
  may(scope: string): boolean {
    const scopes = this.person?.scopes ?? [];
    const wider = WIDER[scope];
    return scopes.includes(scope) || scopes.includes("admin") || (wider !== undefined && scopes.includes(wider));
  }

  /** Raises ApiFailure. */
  async logIn(name: string, password: string): Promise<void> {
    const answer = await ask(api.POST("/v1/auth/login", { body: { name, password } }));
    this.over = false;
    this.#token = answer.access_token;
    this.#take(answer, await ask(api.GET("/v1/auth/me")));
  }

  /** Go on with the token of this browser tab, if it still holds. */
  async resume(): Promise<void> {
    const kept = sessionStorage.getItem(KEPT);
    if (kept === null) return;
    this.#token = kept;
    try {
      await this.renew();
    } catch (error) {
      if (error instanceof ApiFailure && error.unreachable) throw error;
      this.logOut();
    }
  }

  async renew(): Promise<void> {
    const [answer, me] = await Promise.all([ask(api.POST("/v1/auth/renew")), ask(api.GET("/v1/auth/me"))]);
    this.#take(answer, me);
  }

  logOut(): void {
    clearTimeout(this.#timer);
    this.#token = null;
    this.person = null;
    sessionStorage.removeItem(KEPT);
  }

  /** The hub does not know the token any more. */
  refused(): void {
    if (this.person === null) return;
    this.logOut();
    this.over = true;
  }

  #take(answer: Schemas["TokenView"], me: Person): void {
    this.#token = answer.access_token;
    // Of this tab only, and gone with it: the next person at this desk starts with a login.
    sessionStorage.setItem(KEPT, answer.access_token);
    this.person = { id: me.id, name: me.name, client: me.client, scopes: me.scopes };
    this.#renewIn((answer.expires_in * RENEW_AT) / clock.speedup);
  }

  #renewIn(seconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.renew().catch((error: unknown) => {
        if (error instanceof ApiFailure && !error.unreachable) this.refused();
        else this.#renewIn(RETRY_S);
      });
    }, seconds * 1000);
  }
}

export const session = new Session();
authenticateWith({ token: () => session.token, refused: () => session.refused() });
