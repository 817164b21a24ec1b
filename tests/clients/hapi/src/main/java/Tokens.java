import ca.uhn.fhir.rest.api.server.RequestDetails;
import ca.uhn.fhir.rest.server.exceptions.AuthenticationException;
import ca.uhn.fhir.rest.server.interceptor.auth.AuthorizationInterceptor;
import ca.uhn.fhir.rest.server.interceptor.auth.IAuthRule;
import ca.uhn.fhir.rest.server.interceptor.auth.RuleBuilder;
import java.util.List;
import org.hl7.fhir.r4.model.IdType;

/**
 * What a bearer token may do, by HAPI's own rules: TOKEN everything, TOKEN.Type everything but reading that type,
 * TOKEN.Patient.ID reading what is that patient's. Without one of these the answer is 401.
 */
final class Tokens extends AuthorizationInterceptor {
    private final String token;

    Tokens(String token) {
        this.token = token;
    }

    @Override
    public List<IAuthRule> buildRuleList(RequestDetails request) {
        String given = String.valueOf(request.getHeader("Authorization"));
        String[] parts = given.split("\\.");
        if (!parts[0].equals("Bearer " + token)) throw new AuthenticationException("no such token");
        var rules = new RuleBuilder();
        return switch (parts.length) {
            case 1 -> rules.allowAll().build();
            case 2 -> rules.deny().read().resourcesOfType(parts[1]).withAnyId().andThen().allowAll().build();
            default -> rules.allow().read().allResources().inCompartment(parts[1], new IdType(parts[1], parts[2])).build();
        };
    }
}
