/**
 * That a mutant is found is known with the first counterexample: to look for the smallest takes longer than all else.
 */
import fc from "fast-check";

fc.configureGlobal({ endOnFailure: true });
