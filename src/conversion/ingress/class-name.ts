import type { Ingress } from './ingress.ts'

/** Returns the name of the class. The annotation wins over the field, as in the controllers. */
export function classNameOf({
  annotations,
  className,
}: Pick<Ingress, 'annotations' | 'className'>): string | undefined {
  return annotations.get('kubernetes.io/ingress.class') ?? className
}
