export { Crash, createExecutor, type ExecutorOptions, type Probe, type SagaExecutor } from './executor.ts'
export { type SagaRow, type SagaStore, type SagaTables, sagasMigration } from './log.ts'
export {
  type AnySaga,
  type Failure,
  type InputOf,
  isTransient,
  type Saga,
  type StepScene,
  saga,
  type UndoScene,
} from './saga.ts'
