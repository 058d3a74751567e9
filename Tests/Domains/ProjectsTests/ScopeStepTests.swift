import Testing
import Wire

@testable import Projects

/// What a change of a task means to the sprints it is in.
@Suite struct ScopeStepTests {
    private let sprint = UUID.v7()
    private let next = UUID.v7()

    private func task(
        _ category: StateCategory = .started, in sprint: UUID?, points: Int? = 300, isDeleted: Bool = false
    ) -> TaskImage {
        TaskImage(
            id: .zero, projectId: .zero, stateId: .zero, category: category, sprintId: sprint,
            pointsHundredths: points, estimateMinutes: 60, isDeleted: isDeleted)
    }

    /// The kinds of the steps and the points they add to the scope and to what is done.
    private func told(_ before: TaskImage?, _ after: TaskImage) -> [String] {
        ScopeStep.steps(before, after).map { step in
            let scope = step.after.pointsHundredths - step.before.pointsHundredths
            let done =
                (step.after.isDone ? step.after.pointsHundredths : 0)
                - (step.before.isDone ? step.before.pointsHundredths : 0)
            return "\(step.sprint == sprint ? "" : "next ")\(step.kind) \(scope) \(done)"
        }
    }

    @Test func `a new task in a sprint is added to its scope`() {
        #expect(told(nil, task(in: sprint)) == ["added 300 0"])
        #expect(told(nil, task(.completed, in: sprint)) == ["added 300 300"])
        #expect(told(nil, task(in: nil)) == [])
        #expect(told(nil, task(.cancelled, in: sprint)) == [])
    }

    @Test func `a task carried to the next sprint leaves one scope and enters the other`() {
        #expect(told(task(in: sprint), task(in: next)) == ["removed -300 0", "next added 300 0"])
    }

    @Test func `a new estimate is told apart from the completion that came with it`() {
        #expect(
            told(task(in: sprint), task(.completed, in: sprint, points: 500)) == [
                "estimate 200 0", "completed 0 500",
            ])
    }

    @Test func `a reopened task is done no longer and in scope still`() {
        #expect(told(task(.completed, in: sprint), task(.started, in: sprint)) == ["reopened 0 -300"])
    }

    @Test func `a cancelled task leaves the scope, and comes back when it is reopened`() {
        #expect(told(task(in: sprint), task(.cancelled, in: sprint)) == ["cancelled -300 0"])
        #expect(told(task(.completed, in: sprint), task(.cancelled, in: sprint)) == ["cancelled -300 -300"])
        #expect(told(task(.cancelled, in: sprint), task(.cancelled, in: sprint, points: 800)) == [])
        #expect(
            told(task(.cancelled, in: sprint), task(.unstarted, in: sprint, points: 800)) == [
                "reopened 800 0"
            ])
        #expect(told(task(.cancelled, in: sprint), task(.cancelled, in: nil)) == [])
    }

    @Test func `a deleted task is removed, and added again when it comes back from the trash`() {
        let gone = task(in: sprint, isDeleted: true)
        #expect(told(task(in: sprint), gone) == ["removed -300 0"])
        #expect(told(gone, task(in: sprint)) == ["added 300 0"])
    }

    @Test func `a change of state that leaves done alone is no step`() {
        #expect(told(task(.unstarted, in: sprint), task(.started, in: sprint)) == [])
    }
}
