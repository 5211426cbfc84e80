import type { FormData } from "./form-data.ts";

/** The looks that an environment has chosen, and what is readable on them. */

const channels = (colour: string): readonly number[] =>
  [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255);

/** Relative luminance (WCAG 2.2). */
const luminance = (colour: string): number => {
  const [red = 0, green = 0, blue = 0] = channels(colour).map((part) =>
    part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};

const contrast = (one: string, other: string): number => {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};

const light = "#ffffff";
const dark = "#111317";
const black = "#000000";

/** White or dark; on a grey between them only black has 4.5:1. */
const textOn = (colour: string): string =>
  [light, dark].find((text) => contrast(colour, text) >= 4.5) ?? black;

/** Away from the text, so that the button under a pointer is no harder to read. */
const overOf = (colour: string): string => (textOn(colour) === light ? black : light);

/** On the surface itself a colour says something only where it can be read; else the usual one does. */
const readable = (colour: string, surface: string, usual: string): string =>
  contrast(colour, surface) >= 4.5 ? colour : usual;

/** A button of the surface's own colour is seen by its edge. */
const edgeOn = (colour: string, surface: string): string =>
  contrast(colour, surface) >= 3 ? "transparent" : "var(--edge)";

/** `?theme=` of the app's page, which knows how it looks itself. */
const asked = new URLSearchParams(location.search).get("theme");

export const showTheme = ({
  theme,
  light_colour: onLight,
  dark_colour: onDark,
}: Pick<FormData, "theme" | "light_colour" | "dark_colour">): void => {
  const root = document.documentElement;
  root.dataset["theme"] = asked === "light" || asked === "dark" || asked === "system" ? asked : theme;
  const both = (first: string, second: string): string => `light-dark(${first}, ${second})`;
  // Through the object model, which the policy against inline styles allows.
  root.style.setProperty("--button", both(onLight, onDark));
  root.style.setProperty("--on-button", both(textOn(onLight), textOn(onDark)));
  root.style.setProperty("--button-over", both(overOf(onLight), overOf(onDark)));
  root.style.setProperty("--button-edge", both(edgeOn(onLight, "#ffffff"), edgeOn(onDark, "#17181c")));
  root.style.setProperty(
    "--accent",
    both(readable(onLight, "#ffffff", "#2f5bea"), readable(onDark, "#17181c", "#93b1ff")),
  );
};

/** Until the environment is known: what the app's page asks for, or what the machine is set to. */
export const showUsualTheme = (): void => {
  document.documentElement.dataset["theme"] = asked === "light" || asked === "dark" ? asked : "system";
};
