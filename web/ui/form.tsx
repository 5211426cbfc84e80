import { createContext, type ComponentChildren } from "preact";
import { useContext, useLayoutEffect, useRef, useState } from "preact/hooks";
import { signInAddress } from "../go.ts";
import { texts } from "../texts/index.ts";
import { useCountdown } from "./countdown.ts";
import { Notice } from "./notice.tsx";
import { noTrouble, troubleOf, type Trouble } from "./problem.ts";
import { useSlow } from "./slow.ts";

type FormState = { readonly trouble: Trouble; readonly pending: boolean };

const FormContext = createContext<FormState>({ trouble: noTrouble, pending: false });
export const useForm = (): FormState => useContext(FormContext);

/** The text fields of a form by their names. */
export type Fields = (name: string) => string;

type FormProps = {
  /** For screen readers, where no heading names the form. */
  readonly label?: string;
  /** What the button is for. While it runs the form can't be sent again; what it throws is shown. */
  readonly send: (fields: Fields) => Promise<void>;
  /** What refusals are called here, by code, where the usual sentences don't fit. */
  readonly sentences?: Readonly<Record<string, string>>;
  readonly children: ComponentChildren;
};

const isNamedInput = (element: Element): element is HTMLInputElement =>
  element instanceof HTMLInputElement && element.name !== "";

const namedInputs = (form: HTMLFormElement): readonly HTMLInputElement[] =>
  [...form.elements].filter(isNamedInput);

const isEmpty = ({ type, value, checked }: HTMLInputElement): boolean =>
  type === "checkbox" ? !checked : (type === "password" ? value : value.trim()) === "";

const saidWhenEmpty: Readonly<Record<string, string>> = texts.required;

const emptyFields = (form: HTMLFormElement): Readonly<Record<string, string>> =>
  Object.fromEntries(
    namedInputs(form)
      .filter((input) => input.required && isEmpty(input))
      .map(({ name }) => [name, saidWhenEmpty[name] ?? texts.rules.required]),
  );

/**
 * A form that keeps what was typed whatever happens, says what is wrong beside the field that it is about, and goes
 * out once, however often the button is pressed.
 */
export const Form = ({ label, send, sentences, children }: FormProps) => {
  const [trouble, setTrouble] = useState(noTrouble);
  const [pending, setPending] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const running = useRef(false);

  // The first field that is wrong, for those who can't see the colours.
  useLayoutEffect(() => {
    if (trouble !== noTrouble) form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  }, [trouble]);

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const element = form.current;
    if (running.current || !element) return;
    const missing = emptyFields(element);
    if (Object.keys(missing).length > 0) {
      setTrouble({ ...noTrouble, fields: missing });
      return;
    }
    running.current = true;
    setPending(true);
    setTrouble(noTrouble);
    const data = new FormData(element);
    try {
      await send((name) => {
        const value = data.get(name);
        return typeof value === "string" ? value : "";
      });
    } catch (error) {
      setTrouble(
        troubleOf(
          error,
          namedInputs(element).map(({ name }) => name),
          sentences,
        ),
      );
    } finally {
      running.current = false;
      setPending(false);
    }
  };

  return (
    <FormContext.Provider value={{ trouble, pending }}>
      <form ref={form} method="post" noValidate aria-label={label} onSubmit={(event) => void submit(event)}>
        <TroubleNotice trouble={trouble} />
        {children}
      </form>
    </FormContext.Provider>
  );
};

/** Always in the document, so that screen readers notice what appears in it. */
const TroubleNotice = ({ trouble }: { readonly trouble: Trouble }) => {
  const left = useCountdown(trouble, trouble.wait);
  return (
    <div role="alert">
      {trouble.message !== undefined && (
        <Notice kind="bad">
          <p>{trouble.message}</p>
          {left !== undefined && (
            <p aria-live="off">{left > 0 ? texts.trouble.wait(left) : texts.trouble.waited}</p>
          )}
          {trouble.requestId !== undefined && <p>{texts.trouble.request(trouble.requestId)}</p>}
          {trouble.signedOut && (
            <p>
              <a href={signInAddress()}>{texts.signIn.submit}</a>
            </p>
          )}
        </Notice>
      )}
    </div>
  );
};

/** The button that sends the form. */
export const Submit = ({
  children,
  busy,
  kind = "main",
  small = false,
  label,
}: {
  readonly children: string;
  /** What it says while it takes longer than a moment. */
  readonly busy: string;
  readonly kind?: "main" | "plain" | "grave";
  readonly small?: boolean;
  /** For screen readers, where the button's own text says too little. It begins with that text. */
  readonly label?: string;
}) => {
  const { pending } = useForm();
  const slow = useSlow(pending);
  return (
    <button
      type="submit"
      class={small ? `${kind} small-button` : kind}
      aria-label={label}
      aria-disabled={pending}
    >
      {slow ? busy : children}
    </button>
  );
};
