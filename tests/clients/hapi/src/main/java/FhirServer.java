import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.jpa.provider.JpaSystemProvider;
import ca.uhn.fhir.jpa.search.DatabaseBackedPagingProvider;
import ca.uhn.fhir.rest.server.RestfulServer;
import ca.uhn.fhir.rest.server.provider.ResourceProviderFactory;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * HAPI FHIR R4 on loopback, whole: its own search over an empty database in memory, its own paging.
 *
 * <p>FhirServer TOKEN PAGE prints its port, and answers at /fhir until it is ended. No page holds more than PAGE matches.
 */
public final class FhirServer {
    public static void main(String[] arguments) throws Exception {
        var beans = new AnnotationConfigApplicationContext(Storage.class);
        var fhir = new RestfulServer(beans.getBean(FhirContext.class));
        fhir.registerProviders(beans.getBean(ResourceProviderFactory.class).createProviders());
        fhir.registerProvider(beans.getBean(JpaSystemProvider.class));
        fhir.registerInterceptor(new Tokens(arguments[0]));
        var paging = beans.getBean(DatabaseBackedPagingProvider.class);
        paging.setMaximumPageSize(Integer.parseInt(arguments[1]));
        fhir.setPagingProvider(paging);
        System.out.println(listen(fhir));
    }

    private static int listen(RestfulServer fhir) throws Exception {
        var server = new Server();
        var connector = new ServerConnector(server);
        connector.setHost("127.0.0.1");
        server.addConnector(connector);
        var handler = new ServletContextHandler();
        handler.addServlet(new ServletHolder(fhir), "/fhir/*");
        server.setHandler(handler);
        server.start();
        return connector.getLocalPort();
    }
}
