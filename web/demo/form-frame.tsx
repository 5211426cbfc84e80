import { useLayoutEffect, useRef } from "preact/hooks";
import { hrefTo } from "../go.ts";
import { enDemo } from "../texts/en-demo.ts";

const typeOf = (data: unknown): unknown =>
  typeof data === "object" && data !== null && "type" in data ? data.type : undefined;

/** The form in a frame, as an app's page has it: the token goes in by message, and what came of it comes back so. */
export const FormFrame = ({
  token,
  onLinked,
  onClosed,
}: {
  readonly token: string;
  readonly onLinked: () => void;
  readonly onClosed: () => void;
}) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const frame = useRef<HTMLIFrameElement>(null);

  // Before the frame can have said anything.
  useLayoutEffect(() => {
    dialog.current?.showModal();
    const hear = ({ data, origin, source }: MessageEvent<unknown>): void => {
      const form = frame.current?.contentWindow;
      if (!form || source !== form || origin !== location.origin) return;
      switch (typeOf(data)) {
        case "ready":
          return form.postMessage({ type: "session_token", sessionToken: token }, location.origin);
        case "connect":
          return onLinked();
        case "close":
          return dialog.current?.close();
        default:
          return undefined;
      }
    };
    addEventListener("message", hear);
    return () => removeEventListener("message", hear);
  }, []);

  return (
    <dialog ref={dialog} class="form-frame" aria-label={enDemo.link.form} onClose={onClosed}>
      <iframe ref={frame} src={hrefTo("connect")} title={enDemo.link.form} />
    </dialog>
  );
};
