import { readFlag } from "../../kernel/text/flag.ts";

/** A switch in a query: clients write it as `true`, `1`, or its bare name. */
export const isSet = (flag: string | undefined): boolean => flag === "" || readFlag(flag ?? "") === true;
