import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { texts } from "../texts/index.ts";
import { useForm } from "./form.tsx";

type FieldProps = {
  readonly name: string;
  readonly label: string;
  readonly hint?: ComponentChildren;
  /** Beside the label: a link for those who can't fill the field. */
  readonly aside?: ComponentChildren;
  readonly type?: "text" | "email" | "password";
  /** For password managers, by the names of the HTML standard. */
  readonly autocomplete: string;
  readonly required?: boolean;
  readonly value?: string;
  readonly autofocus?: boolean;
  readonly mono?: boolean;
  readonly readOnly?: boolean;
  readonly maxLength?: number;
};

type InputFacts = {
  readonly id: string;
  readonly name: string;
  readonly defaultValue: string;
  readonly autocomplete: string;
  readonly required?: boolean | undefined;
  readonly readOnly?: boolean | undefined;
  readonly maxLength?: number | undefined;
  readonly class: string | undefined;
  readonly autocapitalize: "none" | undefined;
  readonly spellcheck: boolean;
  readonly "aria-invalid": boolean;
  readonly "aria-describedby": string | undefined;
};

/** A label above, the field, and below it the hint and what is wrong. */
export const Field = ({
  name,
  label,
  hint,
  aside,
  value,
  mono,
  autofocus,
  type = "text",
  ...rest
}: FieldProps) => {
  const id = useId();
  const { trouble } = useForm();
  // The attribute counts only while a page loads; this, also for forms that open later.
  useLayoutEffect(() => {
    if (autofocus === true) document.getElementById(id)?.focus();
  }, []);
  const fault = trouble.fields[name];
  const described = [hint === undefined ? "" : `${id}-hint`, fault === undefined ? "" : `${id}-fault`]
    .filter((part) => part !== "")
    .join(" ");
  const common: InputFacts = {
    ...rest,
    id,
    name,
    defaultValue: value ?? "",
    "aria-invalid": fault !== undefined,
    "aria-describedby": described === "" ? undefined : described,
    class: mono === true ? "mono" : undefined,
    autocapitalize: type === "text" && mono !== true ? undefined : "none",
    spellcheck: false,
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {type === "password" && <PasswordInput {...common} />}
      {type === "email" && <input {...common} type="email" />}
      {type === "text" && <input {...common} type="text" />}
      {/* Seen beside the label, but after the field: from the field before, Tab leads to the field. */}
      {aside !== undefined && <span class="beside-label">{aside}</span>}
      {fault !== undefined && (
        <p class="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
      {hint !== undefined && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
};

const PasswordInput = (props: InputFacts) => {
  const [shown, setShown] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  return (
    <span class="with-button">
      {/* One element whose type changes: what was typed, and where the cursor stood, stay. */}
      <input {...props} ref={input} type="password" />
      <button
        type="button"
        class="in-field"
        aria-pressed={shown}
        aria-label={texts.field.showPassword}
        onClick={() => {
          if (input.current) input.current.type = shown ? "password" : "text";
          setShown(!shown);
        }}
      >
        {shown ? texts.field.hide : texts.field.show}
      </button>
    </span>
  );
};

export const Check = ({
  name,
  label,
  required = false,
}: {
  readonly name: string;
  readonly label: ComponentChildren;
  readonly required?: boolean;
}) => {
  const id = useId();
  const fault = useForm().trouble.fields[name];
  return (
    <label class="check">
      <input
        type="checkbox"
        name={name}
        required={required}
        aria-invalid={fault !== undefined}
        aria-describedby={fault === undefined ? undefined : `${id}-fault`}
      />
      <span>{label}</span>
      {fault !== undefined && (
        <span class="fault" id={`${id}-fault`}>
          {fault}
        </span>
      )}
    </label>
  );
};

/** A code from a mail: filled in by the mail's link, or typed. */
export const CodeField = ({ code }: { readonly code: string }) => (
  <Field
    name="code"
    label={texts.field.code}
    hint={code === "" ? texts.field.codeHint : texts.field.codeFilled}
    autocomplete="one-time-code"
    value={code}
    autofocus={code === ""}
    maxLength={64}
    mono
    required
  />
);

export const Select = ({
  name,
  label,
  hint,
  value,
  options,
}: {
  readonly name: string;
  readonly label: string;
  readonly hint: string;
  readonly value: string;
  readonly options: readonly string[];
}) => {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} name={name} aria-describedby={`${id}-hint`}>
        {options.map((option) => (
          <option key={option} selected={option === value}>
            {option}
          </option>
        ))}
      </select>
      <p class="hint" id={`${id}-hint`}>
        {hint}
      </p>
    </div>
  );
};

/** Tells password managers whose password a form is about. */
export const UserName = ({ email }: { readonly email: string }) => (
  <input
    class="for-readers"
    type="text"
    name="username"
    autocomplete="username"
    value={email}
    readOnly
    tabIndex={-1}
    aria-hidden="true"
  />
);
