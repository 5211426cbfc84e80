import type { ComponentChildren } from "preact";

export const Notice = ({
  kind,
  children,
}: {
  readonly kind: "plain" | "good" | "warn" | "bad";
  readonly children: ComponentChildren;
}) => <div class={`notice ${kind}`}>{children}</div>;

/** Says what has just happened, also to screen readers: it is in the document before it says anything. */
export const Said = ({ children }: { readonly children: ComponentChildren }) => (
  <div role="status">{children}</div>
);
