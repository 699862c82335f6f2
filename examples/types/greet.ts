type Input = { readonly name: string; readonly greeting: string };

export default (input: Input): string => `${input.greeting}, ${input.name}!`;
