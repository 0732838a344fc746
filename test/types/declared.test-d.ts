import { expectTypeOf, test } from "vitest";
import type { TypesOf, TypesOfBot } from "../../client/src/index.ts";
import type { bots } from "../cli/bots-module.ts";
import type { Bots } from "../cli/declared.d.ts";

/** What is sent to the declared bot may be sent to the defined one, and the other way around. */
type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
type Declared<Id extends string> = TypesOfBot<Bots, Id>;
type Defined<Id extends string> = TypesOfBot<typeof bots, Id>;

test("a declaration that `langwire types` has written says the same as the bots themselves", () => {
  expectTypeOf<TypesOf<Bots>["id"]>().toEqualTypeOf<TypesOf<typeof bots>["id"]>();
  type DeclaredInput = Omit<Declared<"invoice">["input"], "anything">;
  type DefinedInput = Omit<Defined<"invoice">["input"], "anything">;
  expectTypeOf<Same<DeclaredInput, DefinedInput>>().toEqualTypeOf<true>();
  expectTypeOf<
    Same<Declared<"invoice">["output"]["kind"], Defined<"invoice">["output"]["kind"]>
  >().toEqualTypeOf<true>();
  expectTypeOf<
    Same<Declared<"invoice">["output"]["lines"], Defined<"invoice">["output"]["lines"]>
  >().toEqualTypeOf<true>();
  expectTypeOf<
    Same<Declared<"invoice">["state"], Defined<"invoice">["state"]>
  >().toEqualTypeOf<true>();
  expectTypeOf<
    Same<Declared<"1-threads">["input"], Defined<"1-threads">["input"]>
  >().toEqualTypeOf<true>();
  expectTypeOf<Declared<"chat">["input"]>().toEqualTypeOf<undefined>();
  expectTypeOf<Declared<"chat">["output"]>().toEqualTypeOf<undefined>();
});
