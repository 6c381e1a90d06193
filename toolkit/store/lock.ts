/** A fair lock: resolves, in the order of asking, to the function that gives it back. */
export function createLock(): () => Promise<() => void> {
  let tail: Promise<void> = Promise.resolve()
  return () => {
    let release = () => {}
    const turn = tail
    tail = new Promise(resolve => {
      release = resolve
    })
    return turn.then(() => release)
  }
}
