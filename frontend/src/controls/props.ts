import type { Json } from '../schema/schema';

/** What every control is given. */
export interface ControlProps<C> {
  control: C;
  value: Json;
  /** The element's id and test id; its label points here. */
  id: string;
  set: (value: Json) => void;
  /** The id of the words that describe it. */
  described: string | undefined;
  /** The server would not take the value. */
  refused: boolean;
}
