import type { Opening } from "./opening.ts";

/** What the page around the form is told (contract nango §1.12). */
type Event =
  | {
      readonly type: "connect";
      readonly payload: { readonly providerConfigKey: string; readonly connectionId: string };
    }
  | {
      readonly type: "error";
      readonly payload: { readonly errorType: string; readonly errorMessage: string };
    }
  | { readonly type: "close" };

export type Tell = (event: Event) => void;

/** For those who may not open the form, and for nobody at all. */
export const tellNobody: Tell = () => undefined;

/** While nobody has handed in a token there is nobody to answer. That somebody wants to leave may be heard by anyone. */
export const tellOfLeaving: Tell = (event) => {
  if (event.type === "close") window.parent.postMessage(event, "*");
};

/** Nobody but the origin that handed in the token hears anything; a link has nobody around it. */
export const tellerFor = (opening: Opening): Tell => {
  if (opening.how !== "frame") return tellNobody;
  const { opener } = opening;
  return (event) => window.parent.postMessage(event, opener);
};
