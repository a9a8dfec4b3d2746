// Writes a batch that may contain refused elements: they are found by halves, and all others are written.

export interface Refused<T> {
  element: T;
  error: unknown;
}

/**
 * @param write all of these or none
 * @param isAboutData whether an error is the fault of one of the elements
 * @returns the elements that can't be written
 * @throws another error of `write`. Some of the elements may have been written then
 */
export async function writeApart<T>(
  elements: readonly T[],
  write: (elements: readonly T[]) => Promise<void>,
  isAboutData: (error: unknown) => boolean,
): Promise<Refused<T>[]> {
  try {
    await write(elements);
    return [];
  } catch (error) {
    if (!isAboutData(error)) throw error;
    const [first] = elements;
    if (elements.length === 1) return [{ element: first!, error }];
    const middle = elements.length >> 1;
    return [
      ...(await writeApart(elements.slice(0, middle), write, isAboutData)),
      ...(await writeApart(elements.slice(middle), write, isAboutData)),
    ];
  }
}
