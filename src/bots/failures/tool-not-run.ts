/** A call of a model's for which no tool ran: its words are what the model is told, and repeat what it asked. */
export class ToolNotRun extends Error {
  override readonly name = "ToolNotRun";

  constructor(told: string) {
    super(`The tool was not run: ${told}`);
  }
}
