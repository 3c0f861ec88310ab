<?php
/**
 * STAND-IN for Drupal's front controller: pages, the page cache, the maintenance page, the error page.
 */

require __DIR__ . '/core/lib/Drupal.php';
ini_set( 'display_errors', '0' );

function testbed_page( int $status, string $title, string $body ): string {
	http_response_code( $status );
	header( 'Content-Type: text/html; charset=UTF-8' );
	header( 'X-Generator: Drupal ' . strtok( \Drupal::VERSION, '.' ) . ' (https://www.drupal.org)' );
	header( 'Cache-Control: must-revalidate, no-cache, private' );
	return "<!DOCTYPE html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n<meta charset=\"utf-8\" />\n<title>$title</title>\n</head>\n<body>\n<h1>$title</h1>\n$body\n</body>\n</html>\n";
}

try {
	$kernel = TestbedKernel::get();
	$asked  = (string) ( $_SERVER['REQUEST_URI'] ?? '/' );
	$path   = (string) parse_url( $asked, PHP_URL_PATH );
	$name   = htmlspecialchars( $kernel->config( 'system.site' )['name'] ?? 'Drupal' );
	// The page cache answers before anybody asks for maintenance, as Drupal's does.
	$cached = $kernel->all( 'SELECT data FROM {cache_page} WHERE cid = ?', array( "$asked:html" ) );
	if ( $cached ) {
		header( 'X-Drupal-Cache: HIT' );
		header( 'Content-Type: text/html; charset=UTF-8' );
		echo $cached[0]['data'];
		return;
	}
	$kernel->container();
	$kernel->load();
	if ( $kernel->state( 'system.maintenance_mode' ) ) {
		echo testbed_page( 503, 'Site under maintenance', "<p>$name is currently under maintenance. We should be back shortly. Thank you for your patience.</p>" );
		return;
	}
	$parts  = $kernel->moduleHandlerParts();
	$footer = implode( "\n", $parts );
	$status = 200;
	if ( '/' === $path ) {
		$body = '';
		foreach ( $kernel->all( 'SELECT n.nid, n.title, b.body_value FROM {node_field_data} n JOIN {node__body} b ON b.entity_id = n.nid WHERE n.status = 1 ORDER BY n.nid DESC LIMIT 10' ) as $node ) {
			$body .= "<article><h2><a href=\"/node/{$node['nid']}\">" . htmlspecialchars( $node['title'] ) . "</a></h2>{$node['body_value']}</article>\n";
		}
		$page = testbed_page( 200, "Welcome! | $name", "$body\n<footer>$footer</footer>" );
	} elseif ( preg_match( '{^/node/(\d+)$}', $path, $found ) && ( $node = $kernel->all( 'SELECT n.title, b.body_value FROM {node_field_data} n JOIN {node__body} b ON b.entity_id = n.nid WHERE n.nid = ?', array( $found[1] ) ) ) ) {
		$page = testbed_page( 200, htmlspecialchars( $node[0]['title'] ) . " | $name", "{$node[0]['body_value']}\n<footer>$footer</footer>" );
	} elseif ( '/user/login' === $path ) {
		$page = testbed_page( 200, "Log in | $name", '<form class="user-login-form" method="post"><input name="name" /><input name="pass" type="password" /></form>' . str_repeat( '<!-- form -->', 40 ) );
	} else {
		$status = 404;
		$page   = testbed_page( 404, "Page not found | $name", '<p>The requested page could not be found.</p>' );
	}
	// Pages with a query are left out, so that asking past the cache leaves nothing behind.
	if ( 200 === $status && $asked === $path && 'GET' === ( $_SERVER['REQUEST_METHOD'] ?? '' ) && '/user/login' !== $path ) {
		$kernel->all( "REPLACE INTO {cache_page} (cid, data, expire, created, serialized, tags, checksum) VALUES (?, ?, -1, ?, 0, 'rendered', '0')", array( "$asked:html", $page, time() ) );
	}
	echo $page;
} catch ( \Throwable $error ) {
	error_log( 'Uncaught PHP Exception ' . get_class( $error ) . ': "' . $error->getMessage() . '" at ' . $error->getFile() . ' line ' . $error->getLine() );
	http_response_code( 500 );
	header( 'Content-Type: text/plain; charset=UTF-8' );
	echo "The website encountered an unexpected error. Try again later.\n";
}
