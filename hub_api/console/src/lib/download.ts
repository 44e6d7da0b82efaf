import { failureOf, hubUrl } from "../api/client";
import { session } from "../api/session.svelte";

/** Fetch a file with the session's token and hand it to the browser under a name. Raises ApiFailure. */
export async function download(path: string, name: string): Promise<void> {
  const blob = await fetched(path);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The content of a path of the hub. Raises ApiFailure. */
export async function fetched(path: string): Promise<Blob> {
  const answer = await fetch(hubUrl(path.replace(/^\//, "")), { headers: { Authorization: `Bearer ${session.token ?? ""}` } });
  if (!answer.ok) {
    throw failureOf(answer, await answer.json().catch(() => ({})));
  }
  return answer.blob();
}
