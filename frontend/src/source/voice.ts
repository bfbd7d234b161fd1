/** Dictation, where the browser has it (Web Speech API). */

interface Recognition extends EventTarget {
  lang: string;
  interimResults: boolean;
  onresult: ((event: { results: ArrayLike<ArrayLike<{ transcript: string }>> }) => void) | null;
  onend: (() => void) | null;
  start(): void;
  stop(): void;
}

type Maker = new () => Recognition;

function maker(): Maker | undefined {
  const scope = window as { SpeechRecognition?: Maker; webkitSpeechRecognition?: Maker };
  return scope.SpeechRecognition ?? scope.webkitSpeechRecognition;
}

/** Whether this browser takes dictation. */
export function canListen(): boolean {
  return maker() !== undefined;
}

/** Hands on what is said, as it is understood, until a pause; `ended` is called then. The answer stops it at once. */
export function listen(heard: (words: string) => void, ended: () => void): () => void {
  const Made = maker();
  if (Made === undefined) return () => {};
  const recognition = new Made();
  recognition.lang = navigator.language;
  recognition.interimResults = true;
  recognition.onresult = ({ results }) => heard(Array.from(results, (result) => result[0]?.transcript ?? '').join(' '));
  recognition.onend = ended;
  recognition.start();
  return () => recognition.stop();
}
