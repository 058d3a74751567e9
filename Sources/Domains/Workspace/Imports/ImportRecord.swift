import Core
import Postgres
import Wire

/// What became of a batch of rows, on its way into the record.
struct ImportRecord {
    private var n: [Int] = []
    private var states: [ImportRowState] = []
    private var faults: [String] = []
    private var cells: [String] = []
    private var entities: [UUID] = []
    private var versions: [Int] = []
    private var befores: [String] = []

    init(_ lines: [ImportPass.Line], _ outcomes: [ImportOutcome]) {
        for (line, outcome) in zip(lines, outcomes) {
            switch outcome {
            case .created(let id, let version): add(line, .created, id, version)
            case .changed(let id, let version, let before): add(line, .changed, id, version, before: before)
            case .skipped(let why): add(line, .skipped, faults: [ImportFault(nil, "skipped", why)])
            case .failed(let faults): add(line, .failed, faults: faults, keepsCells: true)
            }
        }
    }

    private mutating func add(
        _ line: ImportPass.Line, _ state: ImportRowState, _ entity: UUID = .zero, _ version: Int = 0,
        before: JSON? = nil,
        faults: [ImportFault] = [], keepsCells: Bool = false
    ) {
        n.append(line.n)
        states.append(state)
        // Every element is there, for an array of texts knows no NULL: empty stands for it.
        self.faults.append(faults.isEmpty ? "" : (try? JSON(encoding: faults).description) ?? "")
        cells.append(
            keepsCells ? JSON.array(line.cells.map { .string($0.filter { $0 != "\0" }) }).description : "")
        entities.append(entity)
        versions.append(version)
        befores.append(before?.description ?? "")
    }

    func count(_ state: ImportRowState) -> Int { states.count { $0 == state } }

    func insert(_ id: UUID, isDry: Bool, _ company: UUID) -> SQL {
        """
        INSERT INTO import_rows (company_id, import_id, is_dry, n, state, faults, cells, entity_id, entity_version, before)
        SELECT \(company)::uuid, \(id)::uuid, \(isDry), row.n, row.state, nullif(row.faults, '')::jsonb,
               nullif(row.cells, '')::jsonb, nullif(row.entity, \(UUID.zero)::uuid), nullif(row.version, 0),
               nullif(row.before, '')::jsonb
          FROM unnest(\(n)::integer[], \(states)::text[], \(faults)::text[], \(cells)::text[], \(entities)::uuid[],
                      \(versions)::integer[], \(befores)::text[])
            AS row (n, state, faults, cells, entity, version, before)
        """
    }
}
