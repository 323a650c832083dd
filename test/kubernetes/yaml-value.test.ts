// What kubectl's library makes of a text, where parsers of YAML differ. test/oracle compares many more with that library.
import t from 'tap'
import { readEvents } from '../../src/kubernetes/yaml-events.ts'
import { valueOf } from '../../src/kubernetes/yaml-value.ts'

const read = (text: string) => valueOf(readEvents(text)).value

t.test('a block that the end of the text cuts off has no line break there', (t) => {
  t.same(read('a: |\n  one\n  two'), { a: 'one\ntwo' })
  t.same(read('a: >\n  one'), { a: 'one' })
  t.same(read('a: |\n  one\n'), { a: 'one\n' })
  t.same(read('b:\n- |\n  one\n'), { b: ['one\n'] })
  t.end()
})

t.test('text directly after closing quotes is refused, not read as the next key', (t) => {
  t.throws(() => read('k:\n- "e"c: |\n'), /did not find expected key/)
  t.throws(() => read("k:\n- 'f'/h - c: \n"), /did not find expected key/)
  t.same(read('{"a":"b","c":["d"]}'), { a: 'b', c: ['d'] })
  t.same(read('"a": "b" # c\n'), { a: 'b' })
  t.end()
})

t.test('nothing is read after a line of three dots, as kubectl has it', (t) => {
  t.same(read('a: 1\n...\n# words\n%YAML 1.1\n'), { a: 1 })
  t.same(read('a: 1\n... # end\nb: [\n'), { a: 1 })
  t.same(read('a: |\n  ...\n  b\n'), { a: '...\nb\n' })
  t.end()
})
