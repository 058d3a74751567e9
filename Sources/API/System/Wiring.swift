import HTTP
import Telemetry

/// Puts the domains' routes together and finds everything that is wrong with them.
struct Wiring {
    private(set) var routes: [Route] = []
    private var faults: [String] = []

    init(_ domains: [DomainRoutes], isDevelopment: Bool) {
        for domain in domains {
            for var route in domain.routes where !route.isDevelopmentOnly || isDevelopment {
                route.tag = domain.name
                if route.operationId == nil { route.operationId = OperationName.make(route) }
                if case .open = route.access, route.rate == .default { route.rate = .open }
                routes.append(route)
            }
        }
        checkPermissions(domains)
        checkProblems(domains)
        checkOperations()
        for route in routes { check(route) }
        var router = Router()
        for (index, route) in routes.enumerated() { add(route, index, to: &router) }
    }

    /// Throws every fault that was found.
    func checked() throws(WiringFaults) -> [Route] {
        if !faults.isEmpty { throw WiringFaults(faults: faults) }
        return routes
    }

    func build(
        _ system: [SystemRoute], _ rates: Rates, metrics: RequestMetrics
    ) throws(WiringFaults) -> (Router, [Endpoint]) {
        var wiring = self
        var router = Router()
        var endpoints: [Endpoint] = []
        for (route, work) in system.map({ ($0.route, $0.work) }) + routes.map({ ($0, .route) }) {
            guard let template = wiring.add(route, endpoints.count, to: &router) else { continue }
            endpoints.append(
                Endpoint(
                    route, parameters: template.parameters, work: work,
                    limiter: rates.limiter(for: route.rate),
                    meter: metrics.meter(route: route.path, method: "\(route.method.name)")))
        }
        _ = try wiring.checked()
        return (router, endpoints)
    }

    @discardableResult
    private mutating func add(_ route: Route, _ index: Int, to router: inout Router) -> PathTemplate? {
        do throws(WiringFault) {
            let template = try PathTemplate(route.path)
            try router.add(route.method, template, route: index)
            return template
        } catch {
            if !faults.contains(error.description) { faults.append(error.description) }
            return nil
        }
    }

    // MARK: the checks

    private mutating func check(_ route: Route) {
        let name = "\(route.method.name) \(route.path)"
        for mistake in route.mistakes { faults.append("\(name): \(mistake)") }
        guard let template = try? PathTemplate(route.path) else { return }
        let read = route.inputs.count { if case .path = $0 { true } else { false } }
        if read != template.parameters.count {
            faults.append(
                "\(name): the path has \(template.parameters.count) parameters, the handler reads \(read)")
        }
        if route.summary.isEmpty { faults.append("\(name): has no summary") }
        let bodies = route.inputs.count { if case .stream = $0 { true } else { $0.isBody } }
        if bodies > 1 { faults.append("\(name): reads the body more than once") }
        if bodies > 0, route.method == .get { faults.append("\(name): a GET has no body") }
        for case .patch in route.inputs where route.method != .patch {
            faults.append("\(name): a Patch belongs to PATCH")
        }
        checkList(route, name)
    }

    private mutating func checkList(_ route: Route, _ name: String) {
        for case .list(let shape) in route.inputs {
            guard case .page(let item) = route.output.shape, case .object(let object) = item.kind else {
                faults.append("\(name): takes a List but does not answer with a Page")
                continue
            }
            if shape.sorts.isEmpty { faults.append("\(name): the list has no order") }
            for key in shape.sorts {
                if let property = object[key.column], property.schema.isNullable {
                    faults.append(
                        "\(name): sorts by \(key.column), which may be null and so has no place in an order")
                }
            }
        }
    }

    private mutating func checkPermissions(_ domains: [DomainRoutes]) {
        let declared = domains.flatMap(\.permissions)
        var names: Set<String> = []
        for permission in declared {
            if !names.insert(permission.name).inserted {
                faults.append("the permission \(permission.name) is declared twice")
            }
            if permission.roles.isEmpty {
                faults.append("no built-in role holds the permission \(permission.name)")
            }
        }
        for route in routes {
            if case .can(let permission) = route.access, !names.contains(permission.name) {
                faults.append(
                    "\(route.method.name) \(route.path): no domain lists the permission \(permission.name)")
            }
        }
    }

    private mutating func checkProblems(_ domains: [DomainRoutes]) {
        var names: Set<String> = []
        for code in ProblemCode.general + domains.flatMap(\.problems) where !names.insert(code.name).inserted
        {
            faults.append("the problem \(code.name) is declared twice")
        }
        for route in routes {
            for code in route.problems where !names.contains(code.name) {
                faults.append("\(route.method.name) \(route.path): no domain lists the problem \(code.name)")
            }
        }
        var constraints: Set<String> = []
        for constraint in domains.flatMap(\.constraints)
        where !constraints.insert(constraint.constraint).inserted {
            faults.append("the constraint \(constraint.constraint) is mapped twice")
        }
    }

    private mutating func checkOperations() {
        let byName = Dictionary(grouping: routes) { $0.operationId ?? "" }
        for (name, same) in byName.sorted(by: { $0.key < $1.key }) where same.count > 1 {
            let list = same.map { "\($0.method.name) \($0.path)" }.joined(separator: ", ")
            faults.append(
                "the operation \(name) is the name of several routes (\(list)); give them .operation(\"…\")")
        }
    }
}
