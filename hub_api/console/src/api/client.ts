import createClient, { type Middleware } from "openapi-fetch";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** Where the hub is: one folder above the page, whatever prefix a proxy gave it. */
export function hubUrl(path = ""): URL {
  return new URL(`../${path}`, document.baseURI.replace(/#.*$/, ""));
}

/** What the hub said when it did not do what was asked: problem details (RFC 9457), or that it was not reached. */
export class ApiFailure extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    readonly titleZh: string,
    readonly detail: string,
    readonly errors: readonly { field: string; reason: string; detail: string; detail_zh: string }[] = [],
    readonly detailZh: string = detail,
  ) {
    super(detail || title);
  }

  /** No answer at all: the network, or the hub itself. */
  get unreachable(): boolean {
    return this.status === 0;
  }
}

type TokenSource = { token: () => string | null; refused: () => void };
let source: TokenSource = { token: () => null, refused: () => undefined };

/** The session says whose requests these are, and is told when the hub does not know the token any more. */
export function authenticateWith(given: TokenSource): void {
  source = given;
}

const bearer: Middleware = {
  onRequest({ request }) {
    const token = source.token();
    if (token !== null && !request.headers.has("Authorization")) {
      request.headers.set("Authorization", `Bearer ${token}`);
    }
    return request;
  },
  onResponse({ request, response }) {
    if (response.status === 401 && !new URL(request.url).pathname.endsWith("/auth/login")) source.refused();
    return response;
  },
};

export const api = createClient<paths>({ baseUrl: hubUrl().href.replace(/\/$/, "") });
api.use(bearer);

type Answer<Data> = { data?: Data; error?: unknown; response: Response };

/**
 * The data of an answer, or an ApiFailure: `const page = await ask(api.GET("/v1/orders"))`.
 * A request without an answer within `timeoutS` has failed: a screen must not wait for ever.
 */
export async function ask<Data>(asked: Promise<Answer<Data>>, timeoutS = 20): Promise<Data> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(unreached("no answer in time")), timeoutS * 1000);
  });
  try {
    const answer = await Promise.race([asked, late]);
    if (answer.error !== undefined || !answer.response.ok) throw failureOf(answer.response, answer.error);
    return answer.data as Data;
  } catch (error) {
    throw error instanceof ApiFailure ? error : unreached(String(error));
  } finally {
    clearTimeout(timer);
  }
}

function unreached(detail: string): ApiFailure {
  return new ApiFailure(0, "The hub does not answer", "服务器无响应", detail);
}

/** From problem details; whatever they leave out is said by the status. */
export function failureOf(response: Response, error: unknown): ApiFailure {
  const body = (typeof error === "object" && error !== null ? error : {}) as Partial<Schemas["Problem"]>;
  return new ApiFailure(
    response.status,
    body.title ?? response.statusText,
    body.title_zh ?? response.statusText,
    body.detail ?? "",
    body.errors ?? [],
    body.detail_zh ?? body.detail ?? "",
  );
}
