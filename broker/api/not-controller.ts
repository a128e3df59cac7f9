import { ErrorCode } from '../wire/errors.ts'
import { NotController } from './controller-context.ts'

/** For requests of brokers themselves, which look for the controller again when told NOT_CONTROLLER. */
export async function unlessNotController<Response>(
  carryOut: () => Promise<Response>,
  failure: (errorCode: ErrorCode) => Response,
): Promise<Response> {
  try {
    return await carryOut()
  } catch (error) {
    if (error instanceof NotController) return failure(ErrorCode.NOT_CONTROLLER)
    throw error
  }
}
