import { call } from "../api.ts";
import type { enConnect } from "../texts/en-connect.ts";
import type { FormData, Integration, Linked } from "./form-data.ts";
import { isFramed, isToken, type Opening } from "./opening.ts";
import { endOfLink } from "./outcome.ts";
import { tellerFor, tellNobody, tellOfLeaving, type Tell } from "./tell.ts";
import { showTheme } from "./theme.ts";

/** Why nothing can be linked here, now. */
export type Over = keyof typeof enConnect.over;

type Open = { readonly token: string; readonly data: FormData; readonly tell: Tell };

export type BackTo = { readonly url: string; readonly app: string | null };

/** What stands there. */
export type Stage =
  | { readonly at: "waiting"; readonly tell: Tell }
  | {
      readonly at: "over";
      readonly why: Over;
      readonly tell: Tell;
      /** What may go better another time. */
      readonly again?: Opening;
      /** Where the app waits, as far as it said so. */
      readonly back?: BackTo | undefined;
    }
  | (Open & { readonly at: "list" })
  | (Open & { readonly at: "form"; readonly integration: Integration })
  | (Open & { readonly at: "linked"; readonly integration: Integration; readonly linked: Linked });

export const backOf = ({ redirect_url: url, app_name: app }: FormData): BackTo | undefined =>
  url === null || isFramed ? undefined : { url, app };

/** One call, and the form stands. */
export const openForm = async (opening: Opening): Promise<Stage> => {
  if (opening.how === "incomplete") {
    return isFramed
      ? { at: "over", why: "silent", tell: tellOfLeaving }
      : { at: "over", why: "incomplete", tell: tellNobody };
  }
  const { token } = opening;
  const tell = tellerFor(opening);
  if (!isToken(token)) return { at: "over", why: "unknown", tell };
  try {
    const query = opening.how === "frame" ? { opener: opening.opener } : {};
    const { data } = await call("GET /connect/form", { token, query });
    showTheme(data);
    if (data.finished) return { at: "over", why: "finished", tell, back: backOf(data) };
    const [first, ...others] = data.integrations;
    if (!first) return { at: "over", why: "nothing", tell, back: backOf(data) };
    const open = { token, data, tell };
    return others.length === 0 ? { ...open, at: "form", integration: first } : { ...open, at: "list" };
  } catch (error) {
    const end = endOfLink(error);
    // Whoever may not open the form is told nothing.
    if (end !== undefined) return { at: "over", why: end, tell: end === "origin" ? tellNobody : tell };
    return { at: "over", why: "unreachable", tell, again: opening };
  }
};
