<?php
// STAND-IN for Joomla: the page that visitors see, from the database and through the plugins.
define( '_JEXEC', 1 );
if ( file_exists( __DIR__ . '/defines.php' ) ) {
	include_once __DIR__ . '/defines.php';
}
define( 'JPATH_BASE', __DIR__ );
require_once __DIR__ . '/includes/defines.php';
require_once __DIR__ . '/includes/framework.php';
use Joomla\Standin\Site;

$config = new JConfig();
if ( $config->offline ) {
	http_response_code( 503 );
	exit( '<!DOCTYPE html><title>' . htmlspecialchars( $config->sitename ) . '</title><p>' . $config->offline_message );
}
if ( 'com_ajax' === ( $_GET['option'] ?? '' ) ) {
	header( 'Content-Type: application/json' );
	exit( json_encode( [ 'success' => true, 'message' => null, 'data' => null ] ) );
}
$body = '<!DOCTYPE html><title>' . htmlspecialchars( $config->sitename ) . '</title><h1>' . htmlspecialchars( $config->sitename ) . '</h1>';
foreach ( Site::rows( 'SELECT title, introtext FROM #__content WHERE state = 1 ORDER BY id' ) as $article ) {
	$body .= '<h2>' . htmlspecialchars( $article['title'] ) . '</h2>' . $article['introtext'];
}
$body .= '<p>Template: cassiopeia</p><p>Generator: Joomla! ' . JVERSION . '</p>';
$page                            = new Joomla\Standin\Page( $body );
Joomla\CMS\Factory::$application = $page;
foreach ( Site::plugins( 'system' ) as $plugin ) {
	if ( method_exists( $plugin, 'onAfterRender' ) ) {
		$plugin->onAfterRender();
	}
}
echo $page->getBody();
